// Two pens with one interface: one draws on a canvas, the other into an SVG document.

export type Point = [x: number, y: number];

export interface Stroke {
  colour: string;
  width: number;
  dash?: number[];
  opacity?: number;
}

export interface Text {
  colour: string;
  size: number;
  align?: "start" | "middle" | "end";
  bold?: boolean;
  /** Rotated to read upwards, as the title of a y axis. */
  upright?: boolean;
}

export interface Pen {
  line(points: Point[], stroke: Stroke): void;
  area(points: Point[], colour: string, opacity: number): void;
  dot(at: Point, radius: number, colour: string): void;
  /** `at` is the vertical middle of the text. */
  text(at: Point, text: string, style: Text): void;
  /** Clips the drawing of `draw` to the rectangle. */
  inside(left: number, top: number, width: number, height: number, draw: () => void): void;
}

/** Draws in CSS pixels on a canvas with `ratio` device pixels for each. */
export function canvasPen(ctx: CanvasRenderingContext2D, family: string, ratio = 1): Pen {
  const trace = (points: Point[]) => {
    ctx.beginPath();
    for (const [x, y] of points) ctx.lineTo(x * ratio, y * ratio);
  };
  return {
    line(points, { colour, width, dash = [], opacity = 1 }) {
      trace(points);
      ctx.globalAlpha = opacity;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * ratio;
      ctx.lineJoin = "round";
      ctx.setLineDash(dash.map((length) => length * ratio));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.globalAlpha = 1;
    },
    area(points, colour, opacity) {
      trace(points);
      ctx.closePath();
      ctx.globalAlpha = opacity;
      ctx.fillStyle = colour;
      ctx.fill();
      ctx.globalAlpha = 1;
    },
    dot([x, y], radius, colour) {
      ctx.beginPath();
      ctx.arc(x * ratio, y * ratio, radius * ratio, 0, 2 * Math.PI);
      ctx.fillStyle = colour;
      ctx.fill();
    },
    text([x, y], text, { colour, size, align = "start", bold, upright }) {
      ctx.save();
      ctx.translate(x * ratio, y * ratio);
      if (upright) ctx.rotate(-Math.PI / 2);
      ctx.font = `${bold ? "600 " : ""}${size * ratio}px ${family}`;
      ctx.fillStyle = colour;
      ctx.textAlign = align === "middle" ? "center" : align;
      ctx.textBaseline = "middle";
      ctx.fillText(text, 0, 0);
      ctx.restore();
    },
    inside(left, top, width, height, draw) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left * ratio, top * ratio, width * ratio, height * ratio);
      ctx.clip();
      draw();
      ctx.restore();
    },
  };
}

/** Collects the elements of an SVG document; `document` returns it. */
export function svgPen(width: number, height: number, family: string, ground: string): Pen & { document(): string } {
  const parts: string[] = [];
  let clips = 0;
  const path = (points: Point[]) => points.map(([x, y], index) => `${index ? "L" : "M"}${round(x)} ${round(y)}`).join("");
  return {
    line(points, { colour, width, dash = [], opacity = 1 }) {
      const dashes = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "";
      const faint = opacity < 1 ? ` stroke-opacity="${round(opacity)}"` : "";
      parts.push(`<path d="${path(points)}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"${dashes}${faint}/>`);
    },
    area(points, colour, opacity) {
      parts.push(`<path d="${path(points)}Z" fill="${colour}" fill-opacity="${round(opacity)}"/>`);
    },
    dot([x, y], radius, colour) {
      parts.push(`<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${colour}"/>`);
    },
    text([x, y], text, { colour, size, align = "start", bold, upright }) {
      const turn = upright ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : "";
      const weight = bold ? ' font-weight="600"' : "";
      parts.push(`<text x="${round(x)}" y="${round(y)}" dy="0.35em" font-size="${size}" fill="${colour}" text-anchor="${align}"${weight}${turn}>${escapeXml(text)}</text>`);
    },
    inside(left, top, width, height, draw) {
      const id = `inside-${clips++}`;
      parts.push(`<clipPath id="${id}"><rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}"/></clipPath><g clip-path="url(#${id})">`);
      draw();
      parts.push("</g>");
    },
    document() {
      const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(family)}">`;
      return [open, `<rect width="${width}" height="${height}" fill="${ground}"/>`, ...parts, "</svg>"].join("\n");
    },
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
