/** The pictures port: graph and timeline as PNG, drawn in a worker thread so that answers to Slack never wait for one. */
import { Worker } from 'node:worker_threads';
import type { PictureRequest, Pictures } from '../contracts/investigation.ts';
import type { Log } from '../contracts/log.ts';
import type { Attachment } from '../contracts/message.ts';
import { inert } from '../domain/inert.ts';
import { altTextOf } from './alt-text.ts';

/** What the worker answers. */
export type Drawn = { readonly bytes: Uint8Array } | { readonly failure: string };

export interface PicturesOptions {
  readonly log: Log;
  /** How long one picture may take, in ms, from when its drawing starts. */
  readonly timeoutMs?: number;
  /** The worker's module; tests hand in one that hangs or dies. */
  readonly worker?: URL;
}

const defaultTimeoutMs = 20_000;

/**
 * Pictures are drawn one after the other. The worker starts with the first one; a picture that takes too long or kills
 * the worker fails with Error, and the next one gets a new worker.
 */
export function openPictures(options: PicturesOptions): Pictures {
  const { log, timeoutMs = defaultTimeoutMs } = options;
  const module = options.worker ?? new URL('./draw-worker.ts', import.meta.url);
  let worker: Worker | undefined;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  function startWorker(): Worker {
    // No arguments of the parent: a test runner's or a profiler's flags are not for the worker.
    const started = new Worker(module, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 512 } });
    // Between two pictures an error has no listener of its own; without this one it would end the process.
    started.on('error', (error) => log.error({ reason: error.message }, 'picture worker failed'));
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    worker = started;
    return started;
  }

  async function drawNow(request: PictureRequest): Promise<Uint8Array> {
    if (closed) throw new Error('Pictures are closed.');
    const drawing = worker ?? startWorker();
    drawing.ref();
    try {
      const drawn = await answerOf(drawing, request, timeoutMs);
      if ('failure' in drawn) throw new Error(`The picture could not be drawn: ${drawn.failure}`);
      return drawn.bytes;
    } catch (thrown) {
      // A worker that has not answered, or has failed in the midst of a layout, is not asked again.
      if (worker === drawing) worker = undefined;
      await drawing.terminate();
      throw thrown;
    } finally {
      drawing.unref();
    }
  }

  return {
    async draw(request): Promise<Attachment> {
      const startedAt = performance.now();
      const bytes = last.then(() => drawNow(request));
      last = bytes.catch((error: unknown) => log.warn({ kind: request.kind, error }, 'picture not drawn'));
      const drawn = await bytes;
      const ms = Math.round(performance.now() - startedAt);
      log.debug({ kind: request.kind, ms, bytes: drawn.byteLength }, 'picture drawn');
      return {
        filename: request.kind === 'graph' ? 'pivot-graph.png' : 'pivot-timeline.png',
        title: inert(request.title, 150),
        altText: altTextOf(request),
        bytes: drawn,
      };
    },
    async close() {
      closed = true;
      await worker?.terminate();
      await last;
    },
  };
}

/** One request, one answer. Rejects when the worker fails, ends, or takes longer than `timeoutMs`. */
function answerOf(worker: Worker, request: PictureRequest, timeoutMs: number): Promise<Drawn> {
  const { promise, resolve, reject } = Promise.withResolvers<Drawn>();
  const onExit = (): void => reject(new Error('The picture worker ended before it answered.'));
  const timer = setTimeout(() => reject(new Error(`A picture took longer than ${timeoutMs} ms.`)), timeoutMs);
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', onExit);
  worker.postMessage(request);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off('message', resolve);
    worker.off('error', reject);
    worker.off('exit', onExit);
  });
}
