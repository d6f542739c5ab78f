/** Services that run something: Amazon ECS, AWS Lambda, Amazon SageMaker, Amazon Lightsail. Reads only. */
import { AwsError } from './errors.ts';
import type { Value } from './protocols.ts';
import { type Call, type Service, text, texts } from './service.ts';
import { here, page, reads } from './service-page.ts';

const lower = { asks: 'nextToken', gives: 'nextToken' } as const;
const upper = { asks: 'NextToken', gives: 'NextToken' } as const;
const common = { namespace: '', apiVersion: '', global: false } as const;

function clusterOf(call: Call) {
  const name = text(call.input, 'cluster') ?? 'default';
  const found = [...call.principal.account.services.clusters].find(
    ([arn, { region }]) => region === call.region && (arn === name || arn.endsWith(`/${name}`)),
  );
  if (found === undefined) throw new AwsError('ClusterNotFoundException', 400, 'Cluster not found.');
  return found[1];
}

function chosen(
  call: Call,
  field: string,
  all: readonly Readonly<Record<string, Value>>[],
  by: string,
): readonly Value[] {
  const wanted = texts(call.input, field);
  return all.filter((one) => wanted.includes(String(one[by])));
}

export const ecs: Service = {
  ...{ ...common, name: 'ecs', protocol: 'json', eventSource: 'ecs.amazonaws.com' },
  operations: {
    ListClusters: reads('ecs', (call) => {
      const own = [...call.principal.account.services.clusters].filter(([, { region }]) => region === call.region);
      return page(
        call.input,
        own.map(([arn]) => arn),
        { list: 'clusterArns', ...lower },
      );
    }),
    ListTasks: reads('ecs', (call) => {
      const arns = clusterOf(call).tasks.map(({ taskArn }) => taskArn);
      return page(call.input, arns, { list: 'taskArns', ...lower });
    }),
    DescribeTasks: reads('ecs', (call) => ({
      output: { tasks: chosen(call, 'tasks', clusterOf(call).tasks, 'taskArn'), failures: [] },
    })),
    ListServices: reads('ecs', (call) => {
      const arns = clusterOf(call).services.map(({ serviceArn }) => serviceArn);
      return page(call.input, arns, { list: 'serviceArns', ...lower });
    }),
    DescribeServices: reads('ecs', (call) => {
      if (texts(call.input, 'services').length > 10)
        throw new AwsError('InvalidParameterException', 400, 'services can have at most 10 items.');
      return { output: { services: chosen(call, 'services', clusterOf(call).services, 'serviceArn'), failures: [] } };
    }),
  },
};

export const lambda: Service = {
  ...{ ...common, name: 'lambda', protocol: 'rest', eventSource: 'lambda.amazonaws.com' },
  routes: [
    { method: 'GET', path: /^\/2015-03-31\/functions\/?$/, operation: 'ListFunctions' },
    {
      method: 'GET',
      path: /^\/2021-10-31\/functions\/(?<FunctionName>[^/]+)\/urls$/,
      operation: 'ListFunctionUrlConfigs',
    },
  ],
  operations: {
    ListFunctions: reads('lambda', (call) => {
      const all = here(call, call.principal.account.services.functions).map(({ shown }) => shown);
      return page(call.input, all, { list: 'Functions', asks: 'Marker', gives: 'NextMarker' });
    }),
    ListFunctionUrlConfigs: reads('lambda', (call) => {
      const name = decodeURIComponent(text(call.input, 'FunctionName') ?? '');
      const found = here(call, call.principal.account.services.functions).find(
        ({ shown }) => shown.FunctionName === name,
      );
      if (found === undefined) throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${name}`);
      const url = {
        FunctionUrl: `https://abcdefghij.lambda-url.${call.region}.on.aws/`,
        ...{ FunctionArn: found.shown.FunctionArn, AuthType: found.url },
        ...{ CreationTime: found.shown.LastModified, LastModifiedTime: found.shown.LastModified },
      };
      return { output: { FunctionUrlConfigs: found.url === undefined ? [] : [url] } };
    }),
  },
};

/** SageMaker's list of one kind. */
function listed(list: string, kind: 'notebooks' | 'endpoints' | 'trainingJobs' | 'processingJobs' | 'apps') {
  return reads('sagemaker', (call) => {
    const all = here(call, call.principal.account.services[kind]).map(({ shown }) => shown);
    return page(call.input, all, { list, ...upper });
  });
}

function named<T extends { readonly region: string; readonly shown: Readonly<Record<string, unknown>> }>(
  call: Call,
  all: readonly T[],
  field: string,
  by = field,
): T {
  const found = here(call, all).find(({ shown }) => shown[by] === text(call.input, field));
  if (found === undefined) throw new AwsError('ValidationException', 400, `Could not find ${field}.`);
  return found;
}

export const sagemaker: Service = {
  ...{ ...common, name: 'sagemaker', protocol: 'json', eventSource: 'sagemaker.amazonaws.com' },
  operations: {
    ListNotebookInstances: listed('NotebookInstances', 'notebooks'),
    ListEndpoints: listed('Endpoints', 'endpoints'),
    DescribeEndpoint: reads('sagemaker', (call) => {
      const one = named(call, call.principal.account.services.endpoints, 'EndpointName');
      const variant = { VariantName: 'AllTraffic', CurrentInstanceCount: one.many, DesiredInstanceCount: one.many };
      const EndpointConfigName = one.shown.EndpointName;
      return { output: { ...one.shown, EndpointConfigName, ProductionVariants: [variant] } };
    }),
    DescribeEndpointConfig: reads('sagemaker', (call) => {
      const all = call.principal.account.services.endpoints;
      const one = named(call, all, 'EndpointConfigName', 'EndpointName');
      const { EndpointName: EndpointConfigName, CreationTime } = one.shown;
      const variant = { VariantName: 'AllTraffic', ModelName: 'model', InitialInstanceCount: 1, ...one.machine };
      return { output: { EndpointConfigName, CreationTime, ProductionVariants: [variant] } };
    }),
    ListTrainingJobs: listed('TrainingJobSummaries', 'trainingJobs'),
    DescribeTrainingJob: reads('sagemaker', (call) => {
      const one = named(call, call.principal.account.services.trainingJobs, 'TrainingJobName');
      return { output: { ...one.shown, ...one.more } };
    }),
    ListProcessingJobs: listed('ProcessingJobSummaries', 'processingJobs'),
    DescribeProcessingJob: reads('sagemaker', (call) => {
      const one = named(call, call.principal.account.services.processingJobs, 'ProcessingJobName');
      return { output: { ...one.shown, ...one.more } };
    }),
    ListApps: listed('Apps', 'apps'),
  },
};

const bundles = [
  { bundleId: 'nano_3_0', price: 5, cpuCount: 2, ramSizeInGb: 0.5, isActive: true },
  { bundleId: 'large_3_0', price: 44, cpuCount: 2, ramSizeInGb: 8, isActive: true },
  { bundleId: '2xlarge_3_0', price: 164, cpuCount: 8, ramSizeInGb: 32, isActive: true },
];

export const lightsail: Service = {
  ...{ ...common, name: 'lightsail', protocol: 'json', eventSource: 'lightsail.amazonaws.com' },
  operations: {
    GetInstances: reads('lightsail', (call) => {
      const all = here(call, call.principal.account.services.lightsail).map(({ shown }) => shown);
      return page(call.input, all, { list: 'instances', asks: 'pageToken', gives: 'nextPageToken' });
    }),
    GetBundles: reads('lightsail', (call) =>
      page(call.input, bundles, { list: 'bundles', asks: 'pageToken', gives: 'nextPageToken' }),
    ),
  },
};
