/**
 * On-demand prices of EC2 instances, Linux, us-east-1, USD per hour, noted from AWS's public price list in November 2025. For
 * estimates only: other Regions, systems, spot and savings plans cost otherwise.
 */
export const pricesFrom = 'on-demand prices of us-east-1, Linux, November 2025';

/** Families whose price grows with the size: price of one `large`. */
const perLarge: Readonly<Record<string, number>> = {
  ...{ t2: 0.0928, t3: 0.0832, t3a: 0.0752, t4g: 0.0672 },
  ...{
    m4: 0.1,
    m5: 0.096,
    m5a: 0.086,
    m5d: 0.113,
    m5n: 0.119,
    m5zn: 0.1652,
    m6i: 0.096,
    m6a: 0.0864,
    m6g: 0.077,
    m6id: 0.11865,
  },
  ...{ m7i: 0.1008, m7a: 0.11592, m7g: 0.0816, 'm7i-flex': 0.09576, m8g: 0.08976 },
  ...{
    c4: 0.1,
    c5: 0.085,
    c5a: 0.077,
    c5d: 0.096,
    c5n: 0.108,
    c6i: 0.085,
    c6a: 0.0765,
    c6g: 0.068,
    c6gn: 0.0864,
    c6in: 0.1134,
  },
  ...{ c7i: 0.08925, c7a: 0.10264, c7g: 0.0725, c8g: 0.07976 },
  ...{
    r4: 0.133,
    r5: 0.126,
    r5a: 0.113,
    r5d: 0.144,
    r6i: 0.126,
    r6a: 0.1134,
    r6g: 0.1008,
    r7i: 0.1323,
    r7a: 0.15215,
    r7g: 0.1071,
  },
  ...{ x1e: 0.417, x2gd: 0.167, i3: 0.156, i3en: 0.226, i4i: 0.172, d3: 0.2495, z1d: 0.186 },
};

/** Accelerated types, whose price does not follow the size. */
const exact: Readonly<Record<string, number>> = {
  ...{ 'p2.xlarge': 0.9, 'p2.8xlarge': 7.2, 'p2.16xlarge': 14.4 },
  ...{ 'p3.2xlarge': 3.06, 'p3.8xlarge': 12.24, 'p3.16xlarge': 24.48, 'p3dn.24xlarge': 31.212 },
  ...{
    'p4d.24xlarge': 21.9576,
    'p4de.24xlarge': 27.4471,
    'p5.4xlarge': 6.88,
    'p5.48xlarge': 55.04,
    'p5en.48xlarge': 63.296,
  },
  ...{ 'g3s.xlarge': 0.75, 'g3.4xlarge': 1.14, 'g3.8xlarge': 2.28, 'g3.16xlarge': 4.56 },
  ...{
    'g4dn.xlarge': 0.526,
    'g4dn.2xlarge': 0.752,
    'g4dn.4xlarge': 1.204,
    'g4dn.8xlarge': 2.176,
    'g4dn.12xlarge': 3.912,
  },
  ...{
    'g4dn.16xlarge': 4.352,
    'g4dn.metal': 7.824,
    'g4ad.xlarge': 0.37853,
    'g4ad.4xlarge': 0.867,
    'g4ad.16xlarge': 3.468,
  },
  ...{ 'g5.xlarge': 1.006, 'g5.2xlarge': 1.212, 'g5.4xlarge': 1.624, 'g5.8xlarge': 2.448, 'g5.12xlarge': 5.672 },
  ...{ 'g5.16xlarge': 4.096, 'g5.24xlarge': 8.144, 'g5.48xlarge': 16.288 },
  ...{ 'g6.xlarge': 0.8048, 'g6.2xlarge': 0.9776, 'g6.4xlarge': 1.3232, 'g6.8xlarge': 2.0144, 'g6.12xlarge': 4.6016 },
  ...{ 'g6.16xlarge': 3.3968, 'g6.24xlarge': 6.6752, 'g6.48xlarge': 13.3504 },
  ...{ 'g6e.xlarge': 1.861, 'g6e.12xlarge': 10.49264, 'g6e.48xlarge': 30.13118 },
  ...{ 'inf1.xlarge': 0.228, 'inf1.24xlarge': 4.721, 'inf2.xlarge': 0.7582, 'inf2.48xlarge': 12.98127 },
  ...{ 'trn1.2xlarge': 1.34375, 'trn1.32xlarge': 21.5, 'dl1.24xlarge': 13.10904, 'vt1.24xlarge': 5.2 },
  ...{ 'f1.2xlarge': 1.65, 'f1.16xlarge': 13.2, 'x1.16xlarge': 6.669, 'x1.32xlarge': 13.338, 'mac1.metal': 1.083 },
};

const sizes: Readonly<Record<string, number>> = {
  nano: 1 / 16,
  micro: 1 / 8,
  small: 1 / 4,
  medium: 1 / 2,
  large: 1,
  xlarge: 2,
};

/** USD per hour of one instance, running; undefined where the table does not know the type. */
export function hourlyPrice(type: string): number | undefined {
  const known = exact[type];
  if (known !== undefined) return known;
  const [family = '', size = ''] = type.split('.');
  const base = perLarge[family];
  const times = /^(\d+)xlarge$/.exec(size)?.[1];
  const factor = times === undefined ? sizes[size] : Number(times) * 2;
  return base === undefined || factor === undefined ? undefined : base * factor;
}

/** GPU and other accelerated types, and those of 9xlarge and more: dear, and what miners want. */
export function isDear(type: string): boolean {
  return (
    /^(p[2-9]|g[3-9]|gr\d|inf|trn|dl|vt|f[12]|x[12]|u-)[a-z0-9-]*\./.test(type) ||
    /\.(metal.*|(9|1\d|[2-9]\d|1\d\d)xlarge)$/.test(type)
  );
}
