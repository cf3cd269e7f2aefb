import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { DestinationUnavailable } from '../../core/errors.ts';
import { isEmergency, toCloudEvent } from '../../core/notice.ts';
import type { Notifier } from '../../core/ports.ts';
import { awsFailure } from '../aws-failure.ts';

/**
 * Publishes each notice to its SNS topic, emergencies to one of their own: the CloudEvents document as the message, and what subscribers filter on
 * (type, key, tier, environment, severity, audience) repeated as message attributes.
 */
export function snsNotifier(options: {
  readonly client: SNSClient;
  readonly topics: { readonly notices: string; readonly emergencies: string };
  readonly stage: string;
  readonly callSeconds: number;
}): Notifier {
  const { client, topics, stage, callSeconds } = options;
  return {
    async publish(notice) {
      const event = toCloudEvent(notice, stage);
      try {
        await client.send(
          new PublishCommand({
            TopicArn: isEmergency(notice) ? topics.emergencies : topics.notices,
            Message: JSON.stringify(event),
            MessageAttributes: {
              type: attribute(String(event.type)),
              key: attribute(notice.keyId),
              tier: attribute(notice.tier),
              environment: attribute(notice.environment),
              severity: attribute(notice.severity),
              audience: attribute(notice.audience),
            },
          }),
          { abortSignal: AbortSignal.timeout(callSeconds * 1000) },
        );
      } catch (error) {
        throw new DestinationUnavailable(`SNS Publish of notice ${notice.id}: ${awsFailure(error).text}`);
      }
    },
  };
}

function attribute(text: string) {
  return { DataType: 'String', StringValue: text };
}
