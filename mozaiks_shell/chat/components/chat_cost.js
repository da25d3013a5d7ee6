// Tokens and money in the person's language.
import { locale, mzN } from "$/public/external/mozaiks_shell/ui/i18n/i18n.js";

const PICO = 1e12;

function amount(value, currency) {
  const digits = value && value < 0.01 ? 5 : value < 1 ? 3 : 2;
  try {
    return new Intl.NumberFormat(`${locale}-u-nu-latn`, { style: "currency", currency, minimumFractionDigits: 2, maximumFractionDigits: digits }).format(value);
  } catch {
    return `${value.toFixed(digits)} ${currency}`;
  }
}

// {tokens, pico, priced, currency}: "1,240 tokens · $0.003". Money only where all of it has a price.
export function money({ tokens, pico, priced, currency }) {
  const counted = mzN("{count} token", "{count} tokens", tokens);
  return priced && currency ? `${counted} · ${amount(pico / PICO, currency)}` : counted;
}
