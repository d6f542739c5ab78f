/** Items of AWS Config as steps: each resource against its own past, whatever lies between. */
import { describe, expect, it } from 'vitest';
import { stepsOf } from '../../../workflows/reading/config-steps.ts';

function item(awsRegion: string, minute: number, port: number) {
  return {
    ...{ accountId: '111122223333', awsRegion, resourceType: 'AWS::EC2::SecurityGroup' as const, resourceId: 'web' },
    configurationItemCaptureTime: new Date(Date.UTC(2026, 10, 20, 10, minute)),
    configuration: JSON.stringify({ port }),
  };
}

describe('the history of AWS Config', () => {
  it('compares each resource with its own past where two of one name change in turn', () => {
    const items = [
      item('eu-west-1', 0, 443),
      item('us-east-1', 1, 80),
      item('eu-west-1', 2, 22),
      item('us-east-1', 3, 80),
    ];
    const steps = stepsOf(items, []);

    expect(steps.map(({ region, changes }) => [region, changes.map(({ before, after }) => [before, after])])).toEqual([
      ['eu-west-1', []],
      ['us-east-1', []],
      ['eu-west-1', [['443', '22']]],
      ['us-east-1', []],
    ]);
  });
});
