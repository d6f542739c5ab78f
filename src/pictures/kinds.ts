/** How each kind of node looks: a colour, a shape with a sign in it, and its name in words. Never a colour alone. */
import type { NodeKind } from '../contracts/artifact.ts';
import { type Item, moved } from './scene.ts';

export interface Look {
  readonly name: string;
  readonly many: string;
  readonly colour: string;
  readonly shape: 'circle' | 'square' | 'hexagon' | 'diamond' | 'shield';
  /** White strokes in a box of 24 by 24. */
  readonly sign: string;
}

const person = 'M12 4a4 4 0 1 0 0.01 0ZM4.5 20.5c0-4.5 3.4-6.5 7.5-6.5s7.5 2 7.5 6.5';
const cube = 'M12 3.5 19.5 7.8v8.4L12 20.5 4.5 16.2V7.8ZM4.5 7.8 12 12l7.5-4.2M12 12v8.5';

const looks: Readonly<Record<NodeKind, Look>> = {
  user: { name: 'IAM user', many: 'IAM users', colour: '#1d4ed8', shape: 'circle', sign: person },
  root: { name: 'Root user', many: 'Root users', colour: '#b91c1c', shape: 'circle', sign: person },
  federatedUser: {
    name: 'Federated user',
    many: 'Federated users',
    colour: '#0369a1',
    shape: 'circle',
    sign: person,
  },
  role: {
    name: 'Role',
    many: 'Roles',
    colour: '#6d28d9',
    shape: 'shield',
    sign: 'M7.5 12.2l3.2 3.2 6-6.6',
  },
  session: {
    name: 'Role session',
    many: 'Role sessions',
    colour: '#0f766e',
    shape: 'circle',
    sign: 'M12 3.5a8.5 8.5 0 1 0 0.01 0ZM12 7.5V12l3.4 2.2',
  },
  service: {
    name: 'AWS service',
    many: 'AWS services',
    colour: '#475569',
    shape: 'square',
    sign: 'M12 8.5a3.5 3.5 0 1 0 0.01 0ZM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2',
  },
  account: {
    name: 'Account',
    many: 'Accounts',
    colour: '#334155',
    shape: 'square',
    sign: 'M4 20.5h16M6 20V4.5h12V20M10 8.5h0.1M14 8.5h0.1M10 12.5h0.1M14 12.5h0.1M12 20v-3.5',
  },
  accessKey: {
    name: 'Access key',
    many: 'Access keys',
    colour: '#a16207',
    shape: 'diamond',
    sign: 'M8.5 8a4 4 0 1 0 0.01 0ZM12.5 12H21M17 12v3.2M20.5 12v2.6',
  },
  ip: {
    name: 'IP address',
    many: 'IP addresses',
    colour: '#be185d',
    shape: 'hexagon',
    sign: 'M12 3.5a8.5 8.5 0 1 0 0.01 0ZM3.5 12h17M12 3.5c-5 5-5 12 0 17M12 3.5c5 5 5 12 0 17',
  },
  resource: { name: 'Resource', many: 'Resources', colour: '#15803d', shape: 'square', sign: cube },
};

const instance: Look = {
  name: 'EC2 instance',
  many: 'EC2 instances',
  colour: '#15803d',
  shape: 'square',
  sign: 'M7 7h10v10H7ZM10 3.5V7M14 3.5V7M10 17v3.5M14 17v3.5M3.5 10H7M3.5 14H7M17 10h3.5M17 14h3.5',
};

const other: Look = {
  name: 'Other',
  many: 'Other things',
  colour: '#57534e',
  shape: 'square',
  sign: 'M12 12h0.1M6 12h0.1M18 12h0.1',
};

/** The look of a kind; kinds that are not in the table look like "other". Instances are resources whose id is `i-...`. */
export function lookOf(kind: string, id: string): Look {
  if (kind === 'instance' || (kind === 'resource' && /^i-|:instance\/i-/.test(id))) return instance;
  return Object.hasOwn(looks, kind) ? looks[kind as NodeKind] : other;
}

/** Shapes of 48 by 48 around the sign. */
const shapes: Readonly<Record<Look['shape'], string>> = {
  circle: 'M24 0a24 24 0 1 0 0.01 0Z',
  square: 'M7 1h34a6 6 0 0 1 6 6v34a6 6 0 0 1-6 6H7a6 6 0 0 1-6-6V7a6 6 0 0 1 6-6Z',
  hexagon: 'M24 0 46 12v24L24 48 2 36V12Z',
  diamond: 'M24-4 52 24 24 52-4 24Z',
  shield: 'M24 0 44 6v18c0 12-9 20-20 24C13 44 4 36 4 24V6Z',
};

/** The icon of a kind, `size` px wide, its upper left corner at (x, y). */
export function icon(look: Look, x: number, y: number, size: number): readonly Item[] {
  const scale = size / 48;
  const inset = look.shape === 'diamond' ? 0.28 : 0.2;
  return [
    ...moved([{ kind: 'path', d: shapes[look.shape], fill: look.colour, move: { x: 0, y: 0, scale } }], x, y),
    {
      kind: 'path',
      d: look.sign,
      stroke: '#ffffff',
      strokeWidth: 2,
      move: { x: x + size * inset, y: y + size * inset, scale: (size * (1 - 2 * inset)) / 24 },
    },
  ];
}
