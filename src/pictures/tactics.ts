/** ATT&CK tactics as marks on the timeline: two letters and a colour each, explained in the legend. */

export interface Tactic {
  /** Stable key for grouping. */
  readonly key: string;
  readonly letters: string;
  readonly name: string;
  readonly colour: string;
  /** Place in the order of an attack. */
  readonly order: number;
}

/** MITRE ATT&CK Enterprise: id, letters, name, colour. White letters on each colour have a contrast of at least 4.5. */
const table: readonly (readonly [string, string, string, string])[] = [
  ['TA0043', 'RE', 'Reconnaissance', '#4d7c0f'],
  ['TA0042', 'RD', 'Resource Development', '#57534e'],
  ['TA0001', 'IA', 'Initial Access', '#a16207'],
  ['TA0002', 'EX', 'Execution', '#c2410c'],
  ['TA0003', 'PE', 'Persistence', '#7e22ce'],
  ['TA0004', 'PR', 'Privilege Escalation', '#a21caf'],
  ['TA0005', 'DE', 'Defense Evasion', '#334155'],
  ['stealth', 'ST', 'Stealth', '#1f2937'],
  ['TA0112', 'DF', 'Defense Impairment', '#78350f'],
  ['TA0006', 'CA', 'Credential Access', '#be185d'],
  ['TA0007', 'DI', 'Discovery', '#1d4ed8'],
  ['TA0008', 'LM', 'Lateral Movement', '#0e7490'],
  ['TA0009', 'CO', 'Collection', '#0f766e'],
  ['TA0011', 'C2', 'Command and Control', '#4338ca'],
  ['TA0010', 'XF', 'Exfiltration', '#9f1239'],
  ['TA0040', 'IM', 'Impact', '#b91c1c'],
];

const tactics: ReadonlyMap<string, Tactic> = new Map(
  table.flatMap(([id, letters, name, colour], order) => {
    const tactic = { key: keyOf(name), letters, name, colour, order };
    return [
      [keyOf(name), tactic],
      [keyOf(id), tactic],
    ];
  }),
);

const noTactic: Tactic = { key: '', letters: '–', name: 'No tactic', colour: '#64748b', order: 99 };
const otherTactic: Tactic = { key: 'other', letters: 'OT', name: 'Other tactic', colour: '#57534e', order: 50 };

/** By name in any spelling (`Initial Access`, `initial-access`) or by id; what is not known shares one mark. */
export function tacticOf(name: string | undefined): Tactic {
  if (name === undefined || keyOf(name) === '') return noTactic;
  return tactics.get(keyOf(name)) ?? otherTactic;
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
