// The idempotency key of a submission: the same text sent twice makes one experiment.

export class SubmissionKey {
  #text = "";
  #key = random();

  /** The key for this text. Another text gets another key, because the server rejects one key for two texts. */
  for(text: string): string {
    if (this.#text && this.#text !== text) this.#key = random();
    this.#text = text;
    return this.#key;
  }
}

/** 128 random bits. `crypto.randomUUID` is missing on pages over plain HTTP from another machine. */
function random(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
