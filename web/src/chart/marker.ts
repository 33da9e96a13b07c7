// Marks on lines, in swatches and in squares: a second sign of the method beside the hue.

export type Marker = "circle" | "square" | "triangle" | "diamond" | "cross" | "plus" | "wedge" | "star";

export const MARKERS: readonly Marker[] = ["circle", "square", "triangle", "diamond", "cross", "plus", "wedge", "star"];

type Corner = [x: number, y: number];

/** Corners at equal angles, at alternating distances from the centre; the first is above it. */
function around(radii: number[], count: number, turn = 0): Corner[] {
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * (index + turn)) / count - Math.PI / 2;
    const radius = radii[index % radii.length]!;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

const PLUS: Corner[] = [[-0.35, -1.1], [0.35, -1.1], [0.35, -0.35], [1.1, -0.35], [1.1, 0.35], [0.35, 0.35], [0.35, 1.1], [-0.35, 1.1], [-0.35, 0.35], [-1.1, 0.35], [-1.1, -0.35], [-0.35, -0.35]];

/** Corners of each mark, of about the same area, around the origin. */
const SHAPES: Record<Marker, Corner[]> = {
  circle: around([1], 16),
  square: around([1.2], 4, 0.5),
  triangle: around([1.35], 3),
  diamond: around([1.3], 4),
  cross: PLUS.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]),
  plus: PLUS,
  wedge: around([1.35], 3, 1.5),
  star: around([1.45, 0.6], 10),
};

/** The corners of a mark around a point. */
export function corners(marker: Marker, x: number, y: number, radius: number): Corner[] {
  return SHAPES[marker].map(([dx, dy]) => [x + radius * dx, y + radius * dy]);
}
