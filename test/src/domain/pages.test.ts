import { describe, expect, it } from 'vitest';
import { everyPage, iamNext } from '../../../src/domain/pages.ts';
import { policyText } from '../../../src/domain/policy-text.ts';

describe('a list in pages', () => {
  const of = (...pages: { items: string[] | undefined; next?: string }[]) =>
    everyPage((token) => Promise.resolve({ next: undefined, ...(pages[Number(token ?? 0)] as (typeof pages)[0]) }));

  it('goes on behind an empty page, and ends where the token is left out or empty', async () => {
    expect(await of({ items: [], next: '1' }, { items: ['a'], next: '2' }, { items: ['b'] })).toEqual(['a', 'b']);
    expect(await of({ items: ['a'], next: '' })).toEqual(['a']);
  });

  it('is not there where an answer has no list, or the same page comes again', async () => {
    await expect(of({ items: undefined })).rejects.toMatchObject({ code: 'NotAws', retryable: true });
    await expect(of({ items: [], next: '1' }, { items: [], next: '1' })).rejects.toMatchObject({ code: 'NotAws' });
  });

  it('of IAM ends where IAM says so, and is not whole where it says that there is more and not where', () => {
    expect(iamNext({ IsTruncated: false, Marker: 'x' })).toBeUndefined();
    expect(iamNext({ IsTruncated: true, Marker: 'x' })).toBe('x');
    expect(iamNext({})).toBeUndefined();
    expect(() => iamNext({ IsTruncated: true })).toThrow(/without the token/);
  });
});

describe('the text of a policy', () => {
  const text = '{"Statement":[{"Resource":"arn:aws:s3:::a%2Fb-100%/*"}]}';

  it('is the same whether IAM has encoded it or not, also where it holds percent signs', () => {
    expect(policyText(encodeURIComponent(text))).toBe(text);
    expect(policyText(text)).toBe(text);
  });
});
