// Answers may overtake each other: what is shown must not go back to the answer of an older request.

/** Numbers requests. The returned function is called for each; what it returns says, once, whether its answer is news. */
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
