/** Makes shards in a thread of its own. */
import { workerData } from 'node:worker_threads';
import { answerQuestions } from '../answer-questions.ts';
import type { MakerAnswer, MakerQuestion } from './makers.ts';
import type { LakeFolder } from './pages.ts';
import { ShardMaker } from './shard-maker.ts';

const maker = new ShardMaker(workerData as LakeFolder);

answerQuestions<MakerQuestion, MakerAnswer>((question) => {
  switch (question.kind) {
    case 'add': {
      const { packed } = question;
      return maker.add(
        question.file,
        Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength),
        question.hashPlain,
      );
    }
    case 'careful':
      return maker.addCarefully(question.file, question.place, question.path, question.size);
    case 'finish':
      return maker.finish(question.name);
    case 'discard':
      return void maker.discard();
  }
});
