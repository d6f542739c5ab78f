/**
 * Places boxes with Graphviz `dot`. The DOT text holds numbers only (indices and sizes), never a name: nothing has to be
 * escaped, and the sizes are those of the text as it will be drawn.
 */
import { Graphviz } from '@hpcc-js/wasm-graphviz';

export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Layout extends Size {
  /** Middle of each box, in the order given. */
  readonly boxes: readonly Place[];
  readonly links: readonly {
    /** Bezier points: a start, then three per curve. */
    readonly curve: readonly Place[];
    readonly tip: Place | undefined;
    /** Middle of the label. */
    readonly label: Place | undefined;
  }[];
}

export interface LayoutInput {
  readonly boxes: readonly Size[];
  readonly links: readonly { readonly from: number; readonly to: number; readonly label: Size | undefined }[];
}

/** px per inch of Graphviz: its points are our pixels. */
const inch = 72;

interface DotJson {
  readonly bb: string;
  readonly objects?: readonly { readonly name: string; readonly pos: string }[];
  readonly edges?: readonly { readonly index: string; readonly pos?: string; readonly lp?: string }[];
}

/** Sizes in px, places in px from the upper left corner. Throws Error where Graphviz finds no layout. */
export async function layOut(input: LayoutInput, direction: 'LR' | 'TB'): Promise<Layout> {
  const graphviz = await Graphviz.load();
  const json = JSON.parse(graphviz.layout(toDot(input, direction), 'json', 'dot', { yInvert: true })) as DotJson;
  const [left = 0, top = 0, right = 0, bottom = 0] = numbers(json.bb);
  const place = ([x = 0, y = 0]: readonly number[]): Place => ({
    x: x - Math.min(left, right),
    y: y - Math.min(top, bottom),
  });
  const boxes = new Map(json.objects?.map((box) => [box.name, place(numbers(box.pos))]));
  const links = new Map(json.edges?.map((edge) => [Number(edge.index), edge]));
  return {
    width: Math.abs(right - left),
    height: Math.abs(bottom - top),
    boxes: input.boxes.map((_, index) => boxes.get(`n${index}`) ?? { x: 0, y: 0 }),
    links: input.links.map((_, index) => {
      const edge = links.get(index);
      const points = (edge?.pos ?? '').split(/[\s;]+/).filter((point) => point !== '');
      const tip = points.find((point) => point.startsWith('e,'));
      return {
        curve: points.filter((point) => !/^[es],/.test(point)).map((point) => place(numbers(point))),
        tip: tip === undefined ? undefined : place(numbers(tip.slice(2))),
        label: edge?.lp === undefined ? undefined : place(numbers(edge.lp)),
      };
    }),
  };
}

function toDot(input: LayoutInput, direction: 'LR' | 'TB'): string {
  const boxes = input.boxes.map(
    ({ width, height }, index) => `n${index}[width=${(width / inch).toFixed(3)},height=${(height / inch).toFixed(3)}];`,
  );
  const links = input.links.map(({ from, to, label }, index) => `n${from}->n${to}[index="${index}"${space(label)}];`);
  return `digraph{graph[rankdir=${direction},nodesep=0.42,ranksep=${direction === 'LR' ? 0.4 : 0.55},splines=true,size="200,200",nslimit=8,nslimit1=8]
node[shape=box,fixedsize=true,label=""]
edge[arrowsize=1.6]
${boxes.join('\n')}
${links.join('\n')}}`;
}

/** An empty table keeps the room of a label whose text Graphviz need not know. */
function space(label: Size | undefined): string {
  if (label === undefined) return '';
  const size = `WIDTH="${Math.ceil(label.width)}" HEIGHT="${Math.ceil(label.height)}"`;
  return `,label=<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE" ${size}><TR><TD></TD></TR></TABLE>>`;
}

function numbers(text: string): readonly number[] {
  return text.split(',').map(Number);
}
