/** The worker thread that draws. Answers each request with one message: the PNG, or why there is none. */
import { parentPort } from 'node:worker_threads';
import { asError } from '../contracts/errors.ts';
import type { PictureRequest } from '../contracts/investigation.ts';
import { openDrawing } from './draw.ts';
import type { Drawn } from './pictures.ts';

const draw = openDrawing();
const port = parentPort;

async function answer(request: PictureRequest): Promise<Drawn> {
  try {
    return { bytes: await draw(request) };
  } catch (thrown) {
    return { failure: asError(thrown).message };
  }
}

port?.on('message', (request: PictureRequest) => {
  void answer(request).then((drawn) => port.postMessage(drawn));
});
