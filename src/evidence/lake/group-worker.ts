/** Reads row groups in a thread of its own, one question after the other. */
import { answerQuestions } from '../answer-questions.ts';
import { answerTo } from './group-reader.ts';

answerQuestions(answerTo);
