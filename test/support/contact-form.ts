/** A site with a contact form, and the file that says who fills it in: the scenario of the README. */
import { redirected, type Site, site } from './site.ts';

export const aboutMe = `Name: Ada Palmer
Personal email: ada@home.example
Work email: ada.palmer@work.example
`;

export const contactForm = (): Promise<Site> =>
  site({
    '/contact': `<!doctype html><title>Contact</title><h1>Contact us</h1>
<form method="post" action="/send">
  <p><label>Your name <input name="name" required></label></p>
  <p><label>Email <input name="email" type="email" required></label></p>
  <p><label>Message <textarea name="message" required></textarea></label></p>
  <p><button>Send message</button></p>
</form>`,
    '/send': redirected('/thanks'),
    '/thanks': '<!doctype html><title>Thank you</title><h1>Thank you</h1><p>We have your message.</p>',
  });

/** The values that the site was sent, by the names of the fields. */
export const submissions = ({ sent }: Site): Record<string, string>[] =>
  sent.map((one) => Object.fromEntries(new URLSearchParams(one.slice(one.indexOf(' ', 5) + 1))));
