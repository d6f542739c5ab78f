/** The history that AWS Config tells of resources, as steps: what differs from one item to the next, and which writes came just before. */
import type { ConfigurationItem } from '@aws-sdk/client-config-service';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { type Change, changesBetween } from '#src/domain/config-history.ts';
import { principalOf, succeeded } from '#src/domain/principal.ts';
import { isoOf } from '#src/domain/window.ts';

/** Config looks at a resource within some minutes of a change. */
const nearMs = 15 * 60_000;

export interface Step {
  readonly at: string;
  readonly status: string;
  readonly accountId: string;
  readonly region: string;
  readonly changes: readonly Change[];
  readonly calls: readonly { readonly eventId: string; readonly eventName: string; readonly principal: string }[];
}

/** One step per item, oldest first. Records are those that name the resource. */
export function stepsOf(items: readonly ConfigurationItem[], records: readonly CloudTrailRecord[]): readonly Step[] {
  const inOrder = items.toSorted(
    (a, b) => (a.configurationItemCaptureTime?.getTime() ?? 0) - (b.configurationItemCaptureTime?.getTime() ?? 0),
  );
  const writes = records.filter(
    (record) => record.readOnly !== true && succeeded(record) && !/^(Describe|Get|List)/.test(record.eventName),
  );
  /** Of each resource by itself: those of the same name, in other Regions or made again, lie between. */
  const latest = new Map<string, ConfigurationItem>();
  return inOrder.map((item): Step => {
    const resource = [item.accountId, item.awsRegion, item.resourceType, item.resourceId].join(' ');
    const before = latest.get(resource);
    latest.set(resource, item);
    const captured = item.configurationItemCaptureTime?.getTime() ?? 0;
    return {
      at: captured === 0 ? '' : isoOf(captured),
      status: item.configurationItemStatus ?? '',
      accountId: item.accountId ?? '',
      region: item.awsRegion ?? '',
      changes: before ? changesBetween(contentOf(before), contentOf(item)) : [],
      calls: writes
        .filter((record) => {
          const ago = captured - Date.parse(record.eventTime);
          return ago >= -60_000 && ago <= nearMs;
        })
        .map((record) => ({
          eventId: record.eventID,
          eventName: record.eventName,
          principal: principalOf(record)?.id ?? '',
        })),
    };
  });
}

/** The configuration with what Config keeps beside it. It is JSON as text. */
function contentOf(item: ConfigurationItem): unknown {
  return { configuration: parsed(item.configuration), tags: item.tags, supplementary: supplementary(item) };
}

function supplementary({ supplementaryConfiguration }: ConfigurationItem): unknown {
  return Object.fromEntries(
    Object.entries(supplementaryConfiguration ?? {}).map(([key, value]) => [key, parsed(value)]),
  );
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
