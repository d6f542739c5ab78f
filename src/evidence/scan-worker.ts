/** Answers questions about files in a thread of its own. */
import { answerQuestions } from './answer-questions.ts';
import { scanFile } from './scan-file.ts';

answerQuestions(scanFile);
