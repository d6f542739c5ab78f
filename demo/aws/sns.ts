/** Amazon SNS: ConfirmSubscription (https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html). */
import { randomUUID } from 'node:crypto';
import { AwsError } from './errors.ts';
import { type Service, text } from './service.ts';

export const sns: Service = {
  name: 'sns',
  protocol: 'query',
  namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  apiVersion: '2010-03-31',
  eventSource: 'sns.amazonaws.com',
  global: false,
  operations: {
    ConfirmSubscription: {
      readOnly: false,
      parameters: (input) => ({ topicArn: text(input, 'TopicArn'), token: 'HIDDEN_DUE_TO_SECURITY_REASONS' }),
      run(call) {
        const topicArn = text(call.input, 'TopicArn') ?? '';
        call.may('sns:ConfirmSubscription', topicArn);
        const found = call.state.intake.confirmations.get(text(call.input, 'Token') ?? '');
        if (found === undefined || found.topicArn !== topicArn || topicArn.split(':')[3] !== call.region)
          throw new AwsError('InvalidParameter', 400, 'Invalid parameter: Token');
        found.confirmed ??= `${topicArn}:${randomUUID()}`;
        return { output: { SubscriptionArn: found.confirmed } };
      },
    },
  },
};
