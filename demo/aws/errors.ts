/** Errors as AWS words them. The code differs from service to service for the same trouble; that is AWS's own doing. */

export type Protocol = 'query' | 'ec2' | 'json' | 'rest';

/** `trailCode` is what CloudTrail writes where it differs from what the caller sees. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly trailCode: string;
  constructor(code: string, status: number, message: string, trailCode?: string) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.trailCode = trailCode ?? code;
  }
}

export type CredentialTrouble = 'missing' | 'incomplete' | 'unknownKey' | 'badSignature' | 'expired' | 'clock';

const invalidToken = 'The security token included in the request is invalid.';
const badSignature =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const notValidated = 'AWS was not able to validate the provided access credentials';

const credentialErrors: Readonly<Record<Protocol, Readonly<Record<CredentialTrouble, [string, number, string]>>>> = {
  query: {
    missing: ['MissingAuthenticationToken', 403, 'Request is missing Authentication Token'],
    incomplete: ['IncompleteSignature', 400, 'Authorization header is not a complete AWS4-HMAC-SHA256 header.'],
    unknownKey: ['InvalidClientTokenId', 403, invalidToken],
    badSignature: ['SignatureDoesNotMatch', 403, badSignature],
    expired: ['ExpiredToken', 403, 'The security token included in the request is expired'],
    clock: ['SignatureDoesNotMatch', 403, 'Signature expired: the request date is not within 15 minutes of now.'],
  },
  ec2: {
    missing: ['MissingAuthenticationToken', 400, 'Request is missing Authentication Token'],
    incomplete: ['IncompleteSignature', 400, 'Authorization header is not a complete AWS4-HMAC-SHA256 header.'],
    unknownKey: ['AuthFailure', 401, notValidated],
    badSignature: ['AuthFailure', 401, notValidated],
    expired: ['RequestExpired', 400, 'Request has expired.'],
    clock: ['RequestExpired', 400, 'Request has expired.'],
  },
  json: {
    missing: ['MissingAuthenticationTokenException', 400, 'Missing Authentication Token'],
    incomplete: ['IncompleteSignatureException', 400, 'Authorization header is not complete.'],
    unknownKey: ['UnrecognizedClientException', 400, invalidToken],
    badSignature: ['InvalidSignatureException', 400, badSignature],
    expired: ['ExpiredTokenException', 400, 'The security token included in the request is expired'],
    clock: ['InvalidSignatureException', 400, 'Signature expired: the request date is not within 15 minutes of now.'],
  },
  rest: {
    missing: ['MissingAuthenticationTokenException', 403, 'Missing Authentication Token'],
    incomplete: ['IncompleteSignatureException', 403, 'Authorization header is not complete.'],
    unknownKey: ['UnrecognizedClientException', 403, invalidToken],
    badSignature: ['InvalidSignatureException', 403, badSignature],
    expired: ['ExpiredTokenException', 403, 'The security token included in the request is expired'],
    clock: ['InvalidSignatureException', 403, 'Signature expired: the request date is not within 15 minutes of now.'],
  },
};

/** What a service of this protocol answers to credentials it does not take. A disabled key looks like an unknown one. */
export function credentialError(protocol: Protocol, trouble: CredentialTrouble): AwsError {
  const [code, status, message] = credentialErrors[protocol][trouble];
  return new AwsError(code, status, message);
}

/** The denial of a service of this protocol; `message` is the sentence with principal, action and resource. */
export function accessDenied(protocol: Protocol, message: string): AwsError {
  if (protocol === 'ec2') {
    const text = `You are not authorized to perform this operation. ${message}`;
    return new AwsError('UnauthorizedOperation', 403, text, 'Client.UnauthorizedOperation');
  }
  if (protocol === 'json') return new AwsError('AccessDeniedException', 400, message, 'AccessDenied');
  if (protocol === 'rest') return new AwsError('AccessDeniedException', 403, message, 'AccessDenied');
  return new AwsError('AccessDenied', 403, message);
}

export function throttled(protocol: Protocol): AwsError {
  if (protocol === 'ec2')
    return new AwsError('RequestLimitExceeded', 503, 'Request limit exceeded.', 'Client.RequestLimitExceeded');
  if (protocol === 'json') return new AwsError('ThrottlingException', 400, 'Rate exceeded');
  if (protocol === 'rest') return new AwsError('TooManyRequestsException', 429, 'Too Many Requests');
  return new AwsError('Throttling', 400, 'Rate exceeded', 'ThrottlingException');
}

export function internalError(protocol: Protocol): AwsError {
  const message = 'An internal error has occurred';
  if (protocol === 'ec2') return new AwsError('InternalError', 500, message, 'Server.InternalError');
  if (protocol === 'query') return new AwsError('ServiceFailure', 500, message, 'InternalFailure');
  return new AwsError('InternalFailure', 500, message);
}

export function validationError(message: string): AwsError {
  return new AwsError('ValidationError', 400, message, 'ValidationException');
}

export function noSuchEntity(message: string): AwsError {
  return new AwsError('NoSuchEntity', 404, message, 'NoSuchEntityException');
}
