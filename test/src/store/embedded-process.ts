/** A process on a data folder, for the tests: says how opening went, releases when told to, then leaves. */
import { SetupError } from '../../../src/contracts/errors.ts';
import { openEmbeddedPostgres, type Role } from '../../../src/store/embedded-postgres.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const [dataDir = '', roles = ''] = process.argv.slice(2);
try {
  const server = await openEmbeddedPostgres({
    dataDir,
    roles: roles.split(',').filter((role) => role !== '') as Role[],
    log: silent,
  });
  process.once('message', async () => {
    await server.release();
    process.disconnect();
  });
  process.send?.({ connectionString: server.connectionString, owner: server.owner });
} catch (thrown) {
  if (!(thrown instanceof SetupError)) throw thrown;
  process.send?.({ problems: thrown.problems });
  process.disconnect();
}
