/**
 * Whether a message is from SNS. Node's own crypto: the ready-made validators fetch whatever address fits a pattern, follow
 * no size limit, and know neither pinned certificates nor the Region that a topic belongs to.
 */
import { createVerify, type KeyObject, X509Certificate } from 'node:crypto';
import { asError } from '../contracts/errors.ts';
import { isCertificateOf, isTopicAllowed, topicOf } from '../domain/sns-topics.ts';
import { type SnsMessage, signedText } from './sns-message.ts';

export interface PinnedCertificate {
  /** The SigningCertURL that it stands for; any where absent. */
  readonly url?: string | undefined;
  readonly pem: string;
}

export interface SnsTrust {
  /** `sns.topics` */
  readonly topics: readonly string[];
  readonly allowVersion1: boolean;
  /** Not empty: none is ever fetched. */
  readonly certificates: readonly PinnedCertificate[];
  /** The PEM text behind an address that was found to be SNS's. */
  fetchCertificate(url: string): Promise<string>;
  now(): Date;
}

/** later: SNS's certificate could not be got now, so that nothing is known. */
export type Genuine =
  | { readonly yes: true }
  | { readonly yes: false; readonly later: boolean; readonly because: string };

const oldestMs = 60 * 60_000;
const clockSkewMs = 5 * 60_000;
const certificatesKept = 32;
/** After a failure the same address is left alone for so long. */
const failureKeptMs = 10_000;

const digests: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' };

function no(because: string): Genuine {
  return { yes: false, later: false, because };
}

interface Key {
  readonly key: KeyObject;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Throws Error where the text is no certificate of an RSA key. */
function keyOf(pem: string): Key {
  const certificate = new X509Certificate(pem);
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') throw new Error('the certificate is not of an RSA key');
  return {
    key: certificate.publicKey,
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
  };
}

/**
 * Returns the check, which keeps certificates by address. In this order: topic, version, age, address of the certificate,
 * signature; so that nothing is fetched for a message that would be refused anyway. Throws Error for a pinned certificate
 * that is none.
 */
export function snsCheck(trust: SnsTrust): (message: SnsMessage) => Promise<Genuine> {
  // For a pinned key the operator vouches, however old its certificate is.
  const always = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  const pinned = trust.certificates.map(({ url, pem }) => ({ url, ...keyOf(pem), ...always }));
  const fetched = new Map<string, Promise<Key>>();
  const failedAt = new Map<string, number>();

  async function fetchKey(url: string): Promise<Key> {
    const known = fetched.get(url);
    if (known !== undefined) return known;
    if (trust.now().getTime() - (failedAt.get(url) ?? Number.NEGATIVE_INFINITY) < failureKeptMs)
      throw new Error('the certificate could not be fetched a moment ago');
    const fetching = trust.fetchCertificate(url).then(keyOf);
    fetched.set(url, fetching);
    for (const map of [fetched, failedAt]) {
      const oldest = map.keys().next().value;
      if (map.size > certificatesKept && oldest !== undefined) map.delete(oldest);
    }
    try {
      return await fetching;
    } catch (error) {
      fetched.delete(url);
      failedAt.set(url, trust.now().getTime());
      throw error;
    }
  }

  return async (message) => {
    const topic = topicOf(message.TopicArn);
    if (topic === undefined) return no('TopicArn is not the ARN of a topic');
    if (!isTopicAllowed(trust.topics, message.TopicArn)) return no('the topic is not in sns.topics of the config');
    const digest = Object.hasOwn(digests, message.SignatureVersion) ? digests[message.SignatureVersion] : undefined;
    if (digest === undefined) return no('the signature version is neither 1 nor 2');
    if (message.SignatureVersion === '1' && !trust.allowVersion1)
      return no('signature version 1 is not allowed: set SignatureVersion 2 on the topic, or sns.allowVersion1');
    const ageMs = trust.now().getTime() - Date.parse(message.Timestamp);
    if (ageMs > oldestMs) return no('the message is older than an hour');
    if (ageMs < -clockSkewMs) return no('the message is dated in the future');
    const url = message.SigningCertURL;
    if (!isCertificateOf(topic, url) && !pinned.some((one) => one.url === url))
      return no("SigningCertURL is not the address of SNS's certificates in the topic's Region");

    let keys: readonly Key[];
    if (pinned.length > 0) {
      keys = pinned.filter((one) => one.url === undefined || one.url === url);
    } else {
      try {
        keys = [await fetchKey(url)];
      } catch (error) {
        return { yes: false, later: true, because: `SNS's certificate could not be got: ${asError(error).message}` };
      }
    }
    const text = signedText(message);
    const nowMs = trust.now().getTime();
    const valid = keys.filter(({ fromMs, toMs }) => fromMs - clockSkewMs <= nowMs && nowMs <= toMs);
    if (valid.length === 0) return no('no certificate that is valid now belongs to SigningCertURL');
    return valid.some(({ key }) => createVerify(digest).update(text, 'utf8').verify(key, message.Signature, 'base64'))
      ? { yes: true }
      : no('the signature is not that of SNS');
  };
}

const certificateLimit = 10 * 1024;

/** Gets a certificate: 3 s, at most 10 KB, no redirects. The address must have been judged before. Throws Error. */
export async function fetchCertificate(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(3_000) });
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw new Error(`the answer was HTTP ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > certificateLimit) throw new Error('the answer is too large for a certificate');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
