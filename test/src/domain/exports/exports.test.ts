import { Graphviz } from '@hpcc-js/wasm-graphviz';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv } from '../../../../src/domain/exports/csv.ts';
import { dot, type ExportGraph } from '../../../../src/domain/exports/dot.ts';
import { recordGraph } from '../../../../src/domain/exports/graph.ts';
import { mermaid } from '../../../../src/domain/exports/mermaid.ts';
import { timesketch } from '../../../../src/domain/exports/timesketch.ts';
import { timelineCsv, timelineEntries } from '../../../../src/domain/timeline.ts';
import { miningStory, record, sharedIp, user } from '../pivot-records.ts';

/** Reads RFC 4180 back. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted) {
      if (character === '"' && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (character === '"') isQuoted = false;
      else cell += character;
    } else if (character === '"') isQuoted = true;
    else if (character === ',') {
      row.push(cell);
      cell = '';
    } else if (character === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      row = [];
      cell = '';
      at += 1;
    } else cell += character;
  }
  return rows;
}

const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '"]; n9 [label="x',
    'a\\',
    '\\"',
    '`"`',
    '--> b',
    '"]\n  click n0 "https://evil.example"',
    '%%{init: {}}%%',
    '<img src=x>',
    '@here',
  ),
);

/** The text that an XML text stands for. */
function plainOf(xml: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return xml.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string) =>
    code === undefined ? (named[name] ?? '?') : String.fromCodePoint(Number(code)),
  );
}

function graphOf(labels: readonly string[]): ExportGraph {
  return {
    title: labels[0] ?? 'empty',
    nodes: labels.map((label, index) => ({
      id: `${index} ${label}`,
      kind: index % 2 ? 'ip' : 'user',
      label,
      isSeed: index === 0,
    })),
    edges: labels
      .slice(1)
      .map((label, index) => ({ from: `0 ${labels[0]}`, to: `${index + 1} ${label}`, kind: 'used-ip', events: index })),
  };
}

describe('CSV', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '=cmd|"/c calc"!A1'])('disarms the cell %j', (cell) => {
    const [, row] = parseCsv(csv(['a', 'b'], [['x', cell]]));

    expect(row).toEqual(['x', `'${cell}`]);
  });

  it('gives back every other cell as it was, and none that a spreadsheet would run', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, names), { maxLength: 10 }), (rows) => {
        const [header, ...read] = parseCsv(csv(['a', 'b'], rows));

        expect(header).toEqual(['a', 'b']);
        expect(read).toHaveLength(rows.length);
        for (const [index, row] of rows.entries()) {
          for (const [column, cell] of row.entries()) {
            const plain = cell.toWellFormed().replace(/(?![\t\r\n])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '');
            const cellBack = read[index]?.[column] ?? '';
            expect(cellBack).not.toMatch(/;[=+\-@\t\r\n]/);
            const back = cellBack.replaceAll(/;'(?=[=+\-@\t\r\n])/g, ';');
            expect(back === plain || back === `'${plain}`).toBe(true);
            expect(back).not.toMatch(/^[=+\-@\t\r\n]/);
          }
        }
      }),
    );
  });

  it('disarms what only cleaning brings to the front, and takes terminal sequences out', () => {
    expect(csv([], [['\0=1+1', '\u001b[31mred', '\u202e=1']])).toBe("\r\n'=1+1,[31mred,'=1\r\n");
  });

  it('disarms what begins a cell where lists are written with semicolons', () => {
    const [, row] = parseCsv(csv(['a'], [['Mozilla/5.0 (X11;=HYPERLINK("https://evil.example");-1; rv:1)']]));

    expect(row).toEqual([`Mozilla/5.0 (X11;'=HYPERLINK("https://evil.example");'-1; rv:1)`]);
  });

  it('puts lists into one cell and leaves out what is missing', () => {
    expect(csv(['a', 'b', 'c'], [[['x', 'y'], undefined, 3]])).toBe('a,b,c\r\nx; y,,3\r\n');
  });
});

describe('DOT', () => {
  const statement = /^ {2}n\d+ \[label="(?:[^"\\]|\\.)*", tooltip="(?:[^"\\]|\\.)*", shape=[a-z]+(?:, penwidth=3)?\];$/;
  const edge = /^ {2}n\d+ -> n\d+ \[label="(?:[^"\\]|\\.)*"\];$/;

  it('holds its own statements only, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (labels) => {
        const lines = dot(graphOf(labels)).trimEnd().split('\n');

        expect(lines[0]).toMatch(/^digraph "(?:[^"\\]|\\.)*" \{$/);
        expect(lines.at(-1)).toBe('}');
        for (const line of lines.slice(2, -1)) expect(statement.test(line) || edge.test(line)).toBe(true);
        expect(lines).toHaveLength(labels.length * 2 - 1 + 3);
      }),
    );
  });

  it.each([
    ['CORP\\nadmin', 'CORP\\nadmin'],
    ['a\\', 'a\\'],
    ['\\N \\G \\l', '\\N \\G \\l'],
    ['a&amp;b &#60;i&#62;', 'a&amp;b &#60;i&#62;'],
    ['"]; n9 [label="x', '"]; n9 [label="x'],
  ])('shows the name %j as it is where Graphviz draws it', async (label, shown) => {
    const graphviz = await Graphviz.load();
    const svg = graphviz.layout(dot(graphOf([label])), 'svg', 'dot');
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => plainOf(text ?? ''));

    expect(texts).toEqual([shown, 'user']);
  });

  it('leaves out edges to what is not a node', () => {
    const graph = { ...graphOf(['a']), edges: [{ from: '0 a', to: 'nowhere', kind: 'created', events: 1 }] };

    expect(dot(graph)).not.toContain('->');
    expect(mermaid(graph)).not.toContain('-->');
  });
});

describe('Mermaid', () => {
  it('holds its own statements only, whatever the names', () => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (labels) => {
        const [first, ...lines] = mermaid(graphOf(labels)).trimEnd().split('\n');

        expect(first).toBe('flowchart LR');
        expect(lines).toHaveLength(labels.length * 2);
        for (const line of lines.slice(0, -1)) {
          expect(line).toMatch(/^ {2}n\d+(\["[^"<>`%&]*<br\/>[a-z]+"\](:::seed)?| -->\|"[^"<>`%&]*"\| n\d+)$/);
        }
      }),
    );
  });
});

describe('Mermaid of a large graph', () => {
  it.each([
    ['links', 501, 1],
    ['characters', 400, 200],
  ])('says on top that it has more %s than Mermaid draws', (_what, links, length) => {
    const graph = graphOf(['a', 'b'.repeat(length)]);
    const [from = '', to = ''] = graph.nodes.map(({ id }) => id);
    const edges = Array.from({ length: links }, () => ({ from, to, kind: 'k'.repeat(length), events: 1 }));

    const [first, second] = mermaid({ ...graph, edges }).split('\n');

    expect(first).toMatch(/^%% \d+ links, \d+ characters: raise maxEdges/);
    expect(second).toBe('flowchart LR');
    expect(mermaid({ ...graph, edges: edges.slice(0, 100) })).toMatch(/^flowchart LR\n/);
  });
});

describe('a graph straight from records', () => {
  it('has the links that the records prove', () => {
    const graph = recordGraph(miningStory(0), 'title', sharedIp);

    expect(graph.nodes.filter(({ isSeed }) => isSeed).map(({ id }) => id)).toEqual([sharedIp]);
    expect(graph.edges).toContainEqual({
      from: 'arn:aws:iam::999999999999:user/pipeline',
      to: sharedIp,
      kind: 'used-ip',
      events: 10,
    });
  });
});

describe('Timesketch lines', () => {
  it('have what Timesketch asks for and every field, without secrets and without objects', () => {
    const call = record({
      eventName: 'CreateUser',
      eventSource: 'iam.amazonaws.com',
      sourceIPAddress: '203.0.113.99',
      userIdentity: user('mallory'),
      requestParameters: { userName: '=evil', password: 'hunter2' },
      responseElements: { credentials: { sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE' } },
      errorCode: 'AccessDenied',
    });
    const line = JSON.parse(timesketch(timelineEntries([call], []))) as Record<string, unknown>;

    expect(line).toMatchObject({
      message:
        'arn:aws:iam::999999999999:user/mallory called iam.amazonaws.com:CreateUser from 203.0.113.99 (denied: AccessDenied)',
      datetime: expect.stringMatching(/^2026-11-20T22:\d\d:\d\d\.000\+00:00$/),
      timestamp: Date.parse(call.eventTime) * 1_000,
      timestamp_desc: 'Event Time',
      eventID: call.eventID,
      awsRegion: 'us-east-1',
      tag: [],
    });
    expect(JSON.stringify(line)).not.toMatch(/hunter2|IQoJ/);
    expect(Object.values(line).filter((value) => typeof value === 'object' && !Array.isArray(value))).toEqual([]);
  });

  it('can be written as UTF-8 by whoever reads them, whatever the record holds', () => {
    const half = JSON.parse('"\\ud800"') as string;
    const call = record({ eventName: `x${half}`, userAgent: half, requestParameters: { userName: half } });
    const line = JSON.parse(timesketch(timelineEntries([call], []))) as Record<string, unknown>;

    expect(Object.values(line).filter((value) => typeof value === 'string' && !value.isWellFormed())).toEqual([]);
    expect(line.userAgent).toBe('\ufffd');
  });

  it('are as many as the records, and so are the rows of the table', () => {
    const entries = timelineEntries(miningStory(3), []);

    expect(timesketch(entries).trim().split('\n')).toHaveLength(entries.length);
    expect(
      timelineCsv(entries.map(({ event }) => event))
        .trim()
        .split('\r\n'),
    ).toHaveLength(entries.length + 1);
  });
});
