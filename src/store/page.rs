//! Pages of lists.

/// At most `limit` items, and whether there are more.
#[derive(Debug)]
pub struct Page<T, Id> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Id of the last item, if more follow.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Creates a page from up to `limit + 1` items; an extra item only shows that more follow.
    pub(super) fn from_surplus(mut items: Vec<T>, limit: i64, id: impl Fn(&T) -> Id) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        Self { next: items.last().filter(|_| more).map(id), items }
    }

    /// The page with converted items.
    pub(super) fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U, Id> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}
