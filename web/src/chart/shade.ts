// Shades of the colours of the theme. A token is the name of a custom property, with the number of a shade after a plus.

/** What each shade mixes into the colour, and how much of the colour is left in percent. */
const SHADES = [
  { other: "--ink", rest: 100 },
  { other: "--ink", rest: 60 },
  { other: "--panel", rest: 60 },
] as const;

export function shadeOf(property: string, shade: number): string {
  const number = shade % SHADES.length;
  return number === 0 ? property : `${property}+${number}`;
}

function parts(token: string): { property: string; other: string; rest: number } {
  const [property = "", shade = "0"] = token.split("+");
  return { property, ...(SHADES[Number(shade)] ?? SHADES[0]) };
}

/** The colour as CSS, which follows the theme. */
export function cssOf(token: string): string {
  const { property, other, rest } = parts(token);
  return rest === 100 ? `var(${property})` : `color-mix(in srgb, var(${property}) ${rest}%, var(${other}))`;
}

/** The colour as a number, for a canvas or a file; `lookUp` finds the value of a custom property. */
export function resolve(token: string, lookUp: (property: string) => string): string {
  const { property, other, rest } = parts(token);
  return rest === 100 ? lookUp(property) : mix(lookUp(property), lookUp(other), rest / 100);
}

/** Mixes two colours of six hexadecimal digits. */
function mix(one: string, other: string, share: number): string {
  const channel = (colour: string, at: number) => Number.parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);
  const mixed = [0, 1, 2].map((at) => Math.round(share * channel(one, at) + (1 - share) * channel(other, at)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
