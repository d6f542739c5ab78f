/** What is odd about the mail address of an account's contact: S0's attacker had AWS write to a stranger's free mailbox. */

const freeMail =
  /^(outlook|hotmail|live|msn|gmail|googlemail|yahoo|ymail|aol|icloud|me|proton|protonmail|tutanota|tuta|gmx|web|mail|yandex|qq|163|126|zoho|inbox|rambler)\.(com|net|org|de|at|ch|ru|me|io|cn|fr|es|it|co\.uk|com\.br)$/;

/** The domain, lower case; "" where there is none. */
function domainOf(mail: string): string {
  return mail.split('@').at(-1)?.trim().toLowerCase() ?? '';
}

/** Domains of the mail addresses among the words that the config has for an account. */
export function domainsIn(contacts: readonly string[]): readonly string[] {
  return [...new Set(contacts.filter((one) => /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(one)).map(domainOf))];
}

/** `expected`: the domains of the config; empty: it names none. Sub-domains of theirs are theirs. */
export function contactMarks(mail: string, expected: readonly string[]): readonly string[] {
  const domain = domainOf(mail);
  if (expected.some((one) => domain === one || domain.endsWith(`.${one}`))) return [];
  return [
    ...(freeMail.test(domain) ? ['a free mailbox'] : []),
    ...(expected.length > 0 ? ['no domain of the contacts in the config'] : []),
  ];
}
