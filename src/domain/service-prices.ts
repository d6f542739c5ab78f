/**
 * What services beside EC2 cost while they run, USD per hour, us-east-1, noted from AWS's public price list in November 2025. For
 * estimates only: other Regions, spot and savings plans cost otherwise.
 */
import { hourlyPrice } from './instance-prices.ts';

/** Fargate, per vCPU and per GB of memory; Windows with its licence. */
const fargate = {
  linux: { cpu: 0.04048, memory: 0.004445 },
  arm: { cpu: 0.03238, memory: 0.00356 },
  windows: { cpu: 0.046552 + 0.046, memory: 0.00511175 },
} as const;

/**
 * One Fargate task. `cpu` in CPU units (1,024 are one vCPU) and `memory` in MiB, as ECS writes them: texts. Spot counts as on demand,
 * so it is at most this. Undefined where ECS told no size.
 */
export function fargateHourly(task: {
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly platformFamily?: string | undefined;
  readonly architecture?: string | undefined;
}): number | undefined {
  const cpu = Number(task.cpu);
  const memory = Number(task.memory);
  if (!(cpu > 0) || !(memory > 0)) return undefined;
  const system = /^windows/i.test(task.platformFamily ?? '')
    ? 'windows'
    : task.architecture === 'arm64'
      ? 'arm'
      : 'linux';
  const price = fargate[system];
  return (cpu / 1024) * price.cpu + (memory / 1024) * price.memory;
}

/** SageMaker asks for the machine's EC2 price and a fifth to two fifths more (ml.m5.xlarge 0.23, ml.g5.xlarge 1.408): the fifth. */
const sageMakerFactor = 1.2;

/** One SageMaker machine (`ml.g5.xlarge`); undefined where the table does not know the type. */
export function sageMakerHourly(type: string): number | undefined {
  const price = hourlyPrice(type.replace(/^ml\./, ''));
  return price === undefined ? undefined : price * sageMakerFactor;
}

const hoursPerMonth = 730;

/** Lightsail tells its prices per month. */
export function lightsailHourly(perMonth: number | undefined): number | undefined {
  return perMonth === undefined ? undefined : perMonth / hoursPerMonth;
}
