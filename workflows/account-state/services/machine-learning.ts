/** Amazon SageMaker: what runs on machines of its own. Each kind is a read by itself. */
import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListAppsCommand,
  ListEndpointsCommand,
  ListNotebookInstancesCommand,
  ListProcessingJobsCommand,
  ListTrainingJobsCommand,
} from '@aws-sdk/client-sagemaker';
import pLimit from 'p-limit';
import { isDear } from '#src/domain/instance-prices.ts';
import { sageMakerHourly } from '#src/domain/service-prices.ts';
import type { FoundThing } from '#src/domain/services-now.ts';
import { listed, paged } from '../look.ts';
import { type Asker, isoOf, short, type Where } from './asker.ts';

const describedAtOnce = 4;

/** Machines of one type. `runs`: they are paid for now. */
function machines(
  what: { readonly id: string | undefined; readonly name: string | undefined; readonly at: Date | undefined },
  says: string,
  type: string,
  many: number,
  runs = true,
): FoundThing {
  const each = runs ? sageMakerHourly(type) : undefined;
  return {
    id: what.id ?? what.name ?? '',
    says: `${short(what.name)}, ${says}${type === '' ? '' : `, ${many > 1 ? `${many} × ` : ''}${short(type)}`}`,
    count: 1,
    at: isoOf(what.at),
    hourly: each === undefined ? undefined : each * many,
    ...(runs && each === undefined && type !== '' ? { unpriced: short(type) } : {}),
    marks: isDear(type.replace(/^ml\./, '')) ? ['GPU or very large'] : [],
    bound: runs,
  };
}

const notebooks: Asker = {
  read: 'SageMaker notebooks',
  permissions: ['sagemaker:ListNotebookInstances'],
  async ask(where) {
    const all = await paged(async (NextToken) => {
      const input = { MaxResults: 100, NextToken };
      const page = await client(where).send(new ListNotebookInstancesCommand(input), where.soon());
      return { items: listed(page.NotebookInstances, 'NotebookInstances'), next: page.NextToken };
    });
    const things = all.map((one) => {
      const status = one.NotebookInstanceStatus ?? '';
      const runs = ['InService', 'Pending', 'Updating'].includes(status);
      const script = one.NotebookInstanceLifecycleConfigName;
      const says = `notebook, ${short(status)}${script === undefined ? '' : `, start script ${short(script)}`}`;
      const at = one.LastModifiedTime ?? one.CreationTime;
      const what = { id: one.NotebookInstanceArn, name: one.NotebookInstanceName, at };
      return machines(what, says, one.InstanceType ?? '', 1, runs);
    });
    return { things, total: all.length };
  },
};

const endpoints: Asker = {
  read: 'SageMaker endpoints',
  permissions: ['sagemaker:DescribeEndpoint', 'sagemaker:DescribeEndpointConfig', 'sagemaker:ListEndpoints'],
  async ask(where) {
    const all = await paged(async (NextToken) => {
      const page = await client(where).send(new ListEndpointsCommand({ MaxResults: 100, NextToken }), where.soon());
      return { items: listed(page.Endpoints, 'Endpoints'), next: page.NextToken };
    });
    const live = all.filter(
      ({ EndpointStatus = '' }) => !['Failed', 'Deleting', 'OutOfService'].includes(EndpointStatus),
    );
    const things = await described(live, async ({ EndpointName }) => {
      const one = await client(where).send(new DescribeEndpointCommand({ EndpointName }), where.soon());
      const { EndpointConfigName } = one;
      const { ProductionVariants = [] } = await client(where).send(
        new DescribeEndpointConfigCommand({ EndpointConfigName }),
        where.soon(),
      );
      const what = { id: one.EndpointArn, name: one.EndpointName, at: one.LastModifiedTime ?? one.CreationTime };
      return ProductionVariants.map((variant) => {
        const now = one.ProductionVariants?.find(({ VariantName }) => VariantName === variant.VariantName);
        const many = now?.CurrentInstanceCount ?? now?.DesiredInstanceCount ?? variant.InitialInstanceCount ?? 1;
        const type = variant.InstanceType ?? '';
        return machines(what, `endpoint, ${type === '' ? 'serverless' : short(one.EndpointStatus)}`, type, many);
      });
    });
    return { things: things.flat(), total: all.length };
  },
};

const trainingJobs: Asker = {
  read: 'SageMaker training jobs',
  permissions: ['sagemaker:DescribeTrainingJob', 'sagemaker:ListTrainingJobs'],
  async ask(where) {
    const all = await paged(async (NextToken) => {
      const input = { MaxResults: 100, StatusEquals: 'InProgress' as const, NextToken };
      const page = await client(where).send(new ListTrainingJobsCommand(input), where.soon());
      return { items: listed(page.TrainingJobSummaries, 'TrainingJobSummaries'), next: page.NextToken };
    });
    const things = await described(all, async ({ TrainingJobName }) => {
      const one = await client(where).send(new DescribeTrainingJobCommand({ TrainingJobName }), where.soon());
      const { InstanceType = '', InstanceCount = 1, InstanceGroups = [] } = one.ResourceConfig ?? {};
      const what = { id: one.TrainingJobArn, name: one.TrainingJobName, at: one.CreationTime };
      if (InstanceType !== '' || InstanceGroups.length === 0)
        return [machines(what, 'training job', InstanceType, InstanceCount)];
      return InstanceGroups.map((group) =>
        machines(what, 'training job', group.InstanceType ?? '', group.InstanceCount ?? 1),
      );
    });
    return { things: things.flat(), total: all.length };
  },
};

const processingJobs: Asker = {
  read: 'SageMaker processing jobs',
  permissions: ['sagemaker:DescribeProcessingJob', 'sagemaker:ListProcessingJobs'],
  async ask(where) {
    const all = await paged(async (NextToken) => {
      const input = { MaxResults: 100, StatusEquals: 'InProgress' as const, NextToken };
      const page = await client(where).send(new ListProcessingJobsCommand(input), where.soon());
      return { items: listed(page.ProcessingJobSummaries, 'ProcessingJobSummaries'), next: page.NextToken };
    });
    const things = await described(all, async ({ ProcessingJobName }) => {
      const one = await client(where).send(new DescribeProcessingJobCommand({ ProcessingJobName }), where.soon());
      const { InstanceType = '', InstanceCount = 1 } = one.ProcessingResources?.ClusterConfig ?? {};
      const what = { id: one.ProcessingJobArn, name: one.ProcessingJobName, at: one.CreationTime };
      return machines(what, 'processing job', InstanceType, InstanceCount);
    });
    return { things, total: all.length };
  },
};

const studioApps: Asker = {
  read: 'SageMaker Studio apps',
  permissions: ['sagemaker:ListApps'],
  async ask(where) {
    const all = await paged(async (NextToken) => {
      const page = await client(where).send(new ListAppsCommand({ MaxResults: 100, NextToken }), where.soon());
      return { items: listed(page.Apps, 'Apps'), next: page.NextToken };
    });
    const things = all
      .filter(({ Status }) => Status === 'InService' || Status === 'Pending')
      .map((one) => {
        const type = one.ResourceSpec?.InstanceType ?? '';
        const of = short(one.UserProfileName ?? one.SpaceName ?? one.DomainId);
        const what = { id: `${one.DomainId ?? ''}/${one.AppName ?? ''}`, name: one.AppName, at: one.CreationTime };
        // `system` is the machine that Studio itself runs on, and costs nothing.
        return machines(what, `${short(one.AppType)} app of ${of}`, type === 'system' ? '' : type, 1);
      });
    return { things, total: all.length };
  },
};

export const machineLearning: readonly Asker[] = [notebooks, endpoints, trainingJobs, processingJobs, studioApps];

function client({ reader, region }: Where) {
  return reader.sagemaker(region);
}

async function described<Item, Told>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Told>,
): Promise<readonly Told[]> {
  const limit = pLimit(describedAtOnce);
  return Promise.all(items.map((item) => limit(() => ask(item))));
}
