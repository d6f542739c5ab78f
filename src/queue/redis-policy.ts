/** Whether a Redis keeps what the queue puts there. */
import { Redis } from 'ioredis';

/** From the answer of `INFO memory`, which hosted servers give where they refuse `CONFIG`. Undefined where nothing is wrong or told. */
export function evictionProblem(info: string): string | undefined {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return undefined;
  return `Redis may drop jobs when its memory is full (maxmemory-policy is ${policy}): set noeviction`;
}

/** Asks the server at the URL. Throws what the driver throws where it cannot be asked. */
export async function redisProblem(url: string): Promise<string | undefined> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 2_000, retryStrategy: () => null });
  // Without a listener the driver writes to the console; the failed command says the same.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return evictionProblem(await redis.info('memory'));
  } finally {
    redis.disconnect();
  }
}
