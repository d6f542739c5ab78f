/** The text of a policy as IAM answers it: URL-encoded (DOMAIN.md 6.1). What speaks IAM's protocol may leave it as it is. */

/** The document, byte for byte as it was put. */
export function policyText(answered: string): string {
  if (isJson(answered)) return answered;
  try {
    return decodeURIComponent(answered);
  } catch (error) {
    if (error instanceof URIError) return answered;
    throw error;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
