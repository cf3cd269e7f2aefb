import * as z from 'zod/mini';
import { offboardKey } from '../core/offboard.ts';
import { reviewKinds } from '../core/policy.ts';
import { answerReview } from '../core/reviews/answer.ts';
import { listReviews } from '../core/reviews/list.ts';
import { openReview } from '../core/reviews/open.ts';
import { getReview, policyEvents } from '../core/reviews/review.ts';
import { instant } from '../core/time.ts';
import { keyId, name, text } from './fields.ts';
import { type Request, reason, request } from './request.ts';

const reviewId = z.string().check(z.regex(/^[a-z]+-[a-z2-7]{26}$/, 'must be the id of a review'));

/** Questions that named people answer: rows of THE TABLE in requests.ts. */
export const reviews: Readonly<Record<string, Request>> = {
  'review.list': request(
    'read',
    z.strictObject({
      keyId: z.exactOptional(keyId()),
      kind: z.exactOptional(z.enum(reviewKinds)),
      assignee: z.exactOptional(text()),
      overdue: z.exactOptional(z.boolean()),
    }),
    listReviews,
  ),
  'review.show': request('read', z.strictObject({ reviewId }), (ports, input) => getReview(ports, input.reviewId)),
  'key.offboard': request('plan', z.strictObject({ keyId: keyId(), reason }), offboardKey),
  'review.answer': request('review', z.strictObject({ reviewId, answer: name(), note: reason }), answerReview),
  // What no machine sees: tools were changed, a market was entered. The same event on the same day opens one review.
  'review.open': request('review', z.strictObject({ because: z.enum(policyEvents), note: reason }), (ports, { because, note }, actor) =>
    openReview(
      ports,
      { kind: 'policy', id: 'policy' },
      { kind: 'policy', trigger: `${because} ${instant(ports.clock.now()).slice(0, 10)}`, cause: `${because}: ${note}` },
      actor,
    ),
  ),
};
