/** Amazon SNS: ConfirmSubscription and Publish (https://docs.aws.amazon.com/sns/latest/api/API_Operations.html). */
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
    Publish: {
      readOnly: false,
      run(call) {
        const topicArn = text(call.input, 'TopicArn') ?? '';
        const [message = '', subject] = [text(call.input, 'Message'), text(call.input, 'Subject')];
        call.may('sns:Publish', topicArn);
        const isPrintable = subject === undefined || /^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject);
        if (!isPrintable) throw new AwsError('InvalidParameter', 400, 'Invalid parameter: Subject');
        if (message === '') throw new AwsError('InvalidParameter', 400, 'Invalid parameter: Empty message');
        if (topicArn.split(':')[3] !== call.region)
          throw new AwsError('InvalidParameter', 400, 'Invalid parameter: TopicArn');
        const group = text(call.input, 'MessageGroupId');
        const deduplicationId = text(call.input, 'MessageDeduplicationId');
        const { published } = call.state.intake;
        const before = published.find(
          (one) => deduplicationId !== undefined && one.deduplicationId === deduplicationId,
        );
        const id = before?.id ?? randomUUID();
        if (before === undefined) published.push({ id, topicArn, message, subject, group, deduplicationId });
        return { output: { MessageId: id } };
      },
    },
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
