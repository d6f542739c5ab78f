/** A picture before it is SVG: shapes and texts with their places in px. Tests read it; svg.ts writes it. */
import type { Weight } from './typeface.ts';

export type Item =
  | {
      readonly kind: 'rect';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly radius?: number;
      readonly fill?: string;
      readonly stroke?: string;
      readonly strokeWidth?: number;
      readonly dashed?: boolean;
      readonly opacity?: number;
    }
  | {
      readonly kind: 'path';
      /** SVG path data made of numbers by our own code. */
      readonly d: string;
      readonly fill?: string;
      readonly stroke?: string;
      readonly strokeWidth?: number;
      readonly dashed?: boolean;
      readonly move?: { readonly x: number; readonly y: number; readonly scale: number };
    }
  | {
      readonly kind: 'text';
      /** Left end of the baseline. */
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly weight: Weight;
      readonly fill: string;
    };

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly items: readonly Item[];
}

export const ink = {
  paper: '#ffffff',
  text: '#111827',
  quiet: '#4b5563',
  line: '#94a3b8',
  hair: '#e2e8f0',
  panel: '#f8fafc',
  alarm: '#b91c1c',
} as const;

/** Moves items by (dx, dy). */
export function moved(items: readonly Item[], dx: number, dy: number): readonly Item[] {
  return items.map((item) =>
    item.kind === 'path'
      ? {
          ...item,
          move: { x: (item.move?.x ?? 0) + dx, y: (item.move?.y ?? 0) + dy, scale: item.move?.scale ?? 1 },
        }
      : { ...item, x: item.x + dx, y: item.y + dy },
  );
}
