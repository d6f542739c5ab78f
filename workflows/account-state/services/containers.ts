/** Amazon ECS: tasks that run, Fargate's with their price, and services that want more than run. */
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListClustersCommand,
  ListServicesCommand,
  ListTasksCommand,
  type Service,
  type Task,
} from '@aws-sdk/client-ecs';
import pLimit from 'p-limit';
import { count } from '#src/domain/phrases.ts';
import { fargateHourly } from '#src/domain/service-prices.ts';
import type { FoundThing } from '#src/domain/services-now.ts';
import { listed, paged } from '../look.ts';
import { type Asker, batches, idsKept, isoOf, latest, nameOf, short, type Where } from './asker.ts';

const clustersAtOnce = 4;

export const containers: Asker = {
  read: 'ECS tasks and services',
  permissions: ['ecs:DescribeServices', 'ecs:DescribeTasks', 'ecs:ListClusters', 'ecs:ListServices', 'ecs:ListTasks'],
  async ask(where) {
    const ecs = where.reader.ecs(where.region);
    const clusters = await paged(async (nextToken) => {
      const page = await ecs.send(new ListClustersCommand({ maxResults: 100, nextToken }), where.soon());
      return { items: listed(page.clusterArns, 'clusterArns'), next: page.nextToken };
    });
    const limit = pLimit(clustersAtOnce);
    const found = await Promise.all(clusters.map((cluster) => limit(() => inCluster(cluster, where))));
    return { things: found.flatMap(({ things }) => things), total: found.reduce((sum, { tasks }) => sum + tasks, 0) };
  },
};

async function inCluster(cluster: string, where: Where) {
  const tasks = await tasksIn(cluster, where);
  const services = await servicesIn(cluster, where);
  const groups = Map.groupBy(tasks, (task) =>
    [task.group, task.taskDefinitionArn, launchOf(task), task.cpu, task.memory].join('\n'),
  );
  const running = [...groups.values()].map((same) => thingOf(cluster, same, services));
  const idle = services.filter(
    ({ serviceName, desiredCount = 0 }) =>
      desiredCount > 0 && !tasks.some(({ group }) => group === `service:${serviceName}`),
  );
  return { things: [...running, ...idle.map((service) => waiting(cluster, service))], tasks: tasks.length };
}

async function tasksIn(cluster: string, where: Where): Promise<readonly Task[]> {
  const ecs = where.reader.ecs(where.region);
  const arns = await paged(async (nextToken) => {
    const page = await ecs.send(new ListTasksCommand({ cluster, maxResults: 100, nextToken }), where.soon());
    return { items: listed(page.taskArns, 'taskArns'), next: page.nextToken };
  });
  const told: Task[] = [];
  for (const tasks of batches(arns, 100))
    told.push(...listed((await ecs.send(new DescribeTasksCommand({ cluster, tasks }), where.soon())).tasks, 'tasks'));
  return told;
}

async function servicesIn(cluster: string, where: Where): Promise<readonly Service[]> {
  const ecs = where.reader.ecs(where.region);
  const arns = await paged(async (nextToken) => {
    const page = await ecs.send(new ListServicesCommand({ cluster, maxResults: 100, nextToken }), where.soon());
    return { items: listed(page.serviceArns, 'serviceArns'), next: page.nextToken };
  });
  const told: Service[] = [];
  for (const services of batches(arns, 10))
    told.push(
      ...listed(
        (await ecs.send(new DescribeServicesCommand({ cluster, services }), where.soon())).services,
        'services',
      ),
    );
  return told;
}

/** Tasks that a capacity provider places carry no launch type in some answers. */
function launchOf(task: Task): string {
  return task.capacityProviderName ?? task.launchType ?? '';
}

function thingOf(cluster: string, same: readonly Task[], services: readonly Service[]): FoundThing {
  const [task] = same;
  const launch = task === undefined ? '' : launchOf(task);
  const isFargate = launch.startsWith('FARGATE');
  const service = services.find(({ serviceName }) => task?.group === `service:${serviceName}`);
  const each = isFargate
    ? fargateHourly({
        ...{ cpu: task?.cpu, memory: task?.memory, platformFamily: task?.platformFamily },
        architecture: task?.attributes?.find(({ name }) => name === 'ecs.cpu-architecture')?.value,
      })
    : undefined;
  const size = `${Number(task?.cpu ?? 0) / 1024} vCPU and ${Number(task?.memory ?? 0) / 1024} GB each`;
  const from = task?.containers?.[0]?.image;
  const says = [
    `${count(same.length, `${isFargate ? 'Fargate' : 'ECS'} task`)} of ${short(nameOf(task?.taskDefinitionArn))} in cluster ${short(nameOf(cluster))}`,
    ...(isFargate ? [size] : []),
    ...(launch === 'FARGATE_SPOT' ? ['spot'] : []),
    ...(from === undefined ? [] : [`image ${short(from)}`]),
    ...(service === undefined
      ? task?.startedBy === undefined
        ? []
        : [`started by ${short(task.startedBy)}`]
      : [`service ${short(service.serviceName)} wants ${service.desiredCount ?? 0}`]),
  ];
  return {
    id: service?.serviceArn ?? task?.taskArn ?? task?.taskDefinitionArn ?? '',
    ids: same.flatMap(({ taskArn }) => taskArn ?? []).slice(0, idsKept),
    says: says.join(', '),
    count: same.length,
    at: latest(same.map(({ startedAt, createdAt }) => isoOf(startedAt ?? createdAt))),
    hourly: each === undefined ? undefined : each * same.length,
    ...(isFargate && each === undefined ? { unpriced: 'Fargate of unknown size' } : {}),
    marks: [],
    bound: true,
  };
}

function waiting(cluster: string, service: Service): FoundThing {
  return {
    id: service.serviceArn ?? service.serviceName ?? '',
    says: `service ${short(service.serviceName)} in cluster ${short(nameOf(cluster))} wants ${service.desiredCount ?? 0} tasks of ${short(nameOf(service.taskDefinition))}, none runs`,
    ...{ count: 1, at: isoOf(service.createdAt), hourly: undefined, marks: [], bound: true },
  };
}
