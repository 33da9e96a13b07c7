// Answers may arrive out of order: the answer of an older request must not replace a newer one.

/** Numbers requests. Call the returned function for each request; its result tells once whether the answer is the newest. */
export function newest(): () => () => boolean {
  let asked = 0;
  let answered = 0;
  return () => {
    const mine = ++asked;
    return () => {
      if (mine <= answered) return false;
      answered = mine;
      return true;
    };
  };
}
