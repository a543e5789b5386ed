/**
 * Words on a control that say that a click sends, buys or deletes something. They are a help and no guarantee: pages name things as
 * they like, in other languages, or by a picture.
 */
import { inOnePageLine } from './page-words.ts';

type Sort = 'submit' | 'buy' | 'delete';

/** Words of languages that put blanks between words. Each must stand alone; a phrase has blanks. */
const spaced: Record<Sort, string> = {
  submit: `submit|send|post|publish|apply|sign up|register|subscribe|confirm|reply|tweet|share|save
    |absenden|abschicken|senden|veröffentlichen|registrieren|anmelden|bestätigen|antworten|speichern|einreichen
    |envoyer|soumettre|publier|s inscrire|confirmer|valider|répondre|enregistrer
    |enviar|publicar|registrarse|confirmar|responder|guardar|suscribirse|cadastrar|salvar|inscrever
    |invia|pubblica|registrati|conferma|rispondi|salva|iscriviti
    |versturen|verzenden|plaatsen|bevestigen|opslaan|aanmelden
    |wyślij|opublikuj|zarejestruj|potwierdź|zapisz
    |отправить|опубликовать|зарегистрироваться|подтвердить|сохранить|gönder|yayınla|kaydet|onayla|skicka|spara|indsend|lähetä
    |إرسال|تأكيد|שלח|भेजें`,
  buy: `buy|buy now|purchase|order now|place order|place your order|pay|pay now|checkout|check out|complete purchase|donate|book now|bid
    |kaufen|jetzt kaufen|bestellen|kostenpflichtig|zahlen|bezahlen|zur kasse|spenden|buchen
    |acheter|commander|payer|passer la commande|réserver|faire un don
    |comprar|pagar|realizar pedido|hacer pedido|finalizar compra|reservar|donar|doar
    |acquista|compra|ordina|paga|prenota|kopen|betalen|afrekenen|kup|zapłać|zamów
    |купить|оплатить|заказать|satın al|öde|köp|betala|køb|osta|maksa|شراء|ادفع|קנה|खरीदें`,
  delete: `delete|remove|erase|destroy|discard|close account|cancel subscription|deactivate|unsubscribe|revoke|clear all|reset
    |löschen|entfernen|kündigen|deaktivieren|stornieren|abbestellen|zurücksetzen
    |supprimer|effacer|résilier|désactiver|retirer|eliminar|borrar|quitar|cancelar suscripción|desactivar|excluir|apagar|remover
    |elimina|cancella|rimuovi|disattiva|verwijderen|wissen|opzeggen|usuń|skasuj
    |удалить|стереть|sil|kaldır|ta bort|radera|slet|poista|حذف|מחק|हटाएं`,
};
/** Words of languages without blanks: they count wherever they stand. */
const unspaced: Record<Sort, string> = {
  submit: '送信|投稿|登録|確認する|提交|发送|發送|发布|發佈|注册|註冊|보내기|제출|등록',
  buy: '購入|注文|支払|购买|購買|下单|支付|付款|結帳|结账|구매|결제|주문',
  delete: '削除|消去|退会|删除|刪除|移除|삭제|탈퇴',
};

const split = (words: string): string[] =>
  words
    .split('|')
    .map((word) => word.trim())
    .filter(Boolean);
const lists = (['buy', 'delete', 'submit'] as const).map((sort) => ({
  sort,
  spaced: split(spaced[sort]),
  unspaced: split(unspaced[sort]),
}));

/**
 * The acts that the words on a control announce.
 * @param maxChars longer texts announce nothing: they are a description and no label. Default: 80.
 */
export function announced(label: string, maxChars = 80): Sort[] {
  const words = inOnePageLine(label).toLowerCase().normalize('NFC');
  if (words.length > maxChars) return [];
  const padded = ` ${words.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim()} `;
  return lists
    .filter(
      (list) => list.spaced.some((word) => padded.includes(` ${word} `)) || list.unspaced.some((word) => words.includes(word)),
    )
    .map(({ sort }) => sort);
}
