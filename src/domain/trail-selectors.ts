/** What a trail records, from its event selectors (GetEventSelectors): a trail that runs may leave out what matters. */

/** AWS's own fields, as far as they are read. */
export interface EventSelectors {
  readonly EventSelectors?:
    | readonly {
        readonly ReadWriteType?: string | undefined;
        readonly IncludeManagementEvents?: boolean | undefined;
        readonly ExcludeManagementEventSources?: readonly string[] | undefined;
        readonly DataResources?: readonly { readonly Type?: string | undefined }[] | undefined;
      }[]
    | undefined;
  readonly AdvancedEventSelectors?: readonly { readonly FieldSelectors?: readonly Field[] | undefined }[] | undefined;
}

interface Field {
  readonly Field?: string | undefined;
  readonly Equals?: readonly string[] | undefined;
  readonly NotEquals?: readonly string[] | undefined;
}

export interface Recorded {
  /** `part`: reads or writes only, or without services or calls that matter. */
  readonly management: 'all' | 'part' | 'none';
  /** Kinds of data events whose reads are recorded: `AWS::S3::Object`, ... */
  readonly reads: readonly string[];
}

/** What AWS itself offers to leave out, for its mass: nobody is blind without it. */
const massOnly = new Set(['kms.amazonaws.com', 'rdsdata.amazonaws.com']);

type Part = 'all' | 'reads' | 'writes' | 'other';

/** Judges the selectors of a trail. Pure; a trail without any records every management event, which is AWS's default. */
export function recordedBy({ EventSelectors = [], AdvancedEventSelectors = [] }: EventSelectors): Recorded {
  if (EventSelectors.length === 0 && AdvancedEventSelectors.length === 0) return { management: 'all', reads: [] };
  const advanced = AdvancedEventSelectors.map(({ FieldSelectors = [] }) => FieldSelectors);
  const parts = [
    ...EventSelectors.flatMap((one): Part[] => (one.IncludeManagementEvents === false ? [] : [plainPart(one)])),
    ...advanced.filter((fields) => equals(fields, 'eventCategory').includes('Management')).map(advancedPart),
  ];
  const plainReads = EventSelectors.filter(({ ReadWriteType }) => ReadWriteType !== 'WriteOnly')
    .flatMap(({ DataResources = [] }) => DataResources)
    .flatMap(({ Type }) => Type ?? []);
  const advancedReads = advanced
    .filter((fields) => !equals(fields, 'readOnly').includes('false'))
    .flatMap((fields) => equals(fields, 'resources.type'));
  return { management: whole(parts), reads: [...new Set([...plainReads, ...advancedReads])] };
}

function whole(parts: readonly Part[]): Recorded['management'] {
  if (parts.length === 0) return 'none';
  return parts.includes('all') || (parts.includes('reads') && parts.includes('writes')) ? 'all' : 'part';
}

function plainPart(one: NonNullable<EventSelectors['EventSelectors']>[number]): Part {
  if ((one.ExcludeManagementEventSources ?? []).some((source) => !massOnly.has(source))) return 'other';
  return one.ReadWriteType === 'ReadOnly' ? 'reads' : one.ReadWriteType === 'WriteOnly' ? 'writes' : 'all';
}

function advancedPart(fields: readonly Field[]): Part {
  const narrows = fields.some(({ Field, NotEquals = [], ...rest }) => {
    if (Field === 'eventCategory' || Field === 'readOnly') return false;
    const { Equals, ...others } = rest;
    const isOnlyNot = Equals === undefined && Object.values(others).every((value) => value === undefined);
    return !(Field === 'eventSource' && isOnlyNot && NotEquals.every((source) => massOnly.has(source)));
  });
  if (narrows) return 'other';
  const readOnly = equals(fields, 'readOnly');
  return readOnly.includes('true') ? 'reads' : readOnly.includes('false') ? 'writes' : 'all';
}

function equals(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter(({ Field }) => Field === name).flatMap(({ Equals = [] }) => Equals);
}
