/** Goals as an operator types them, and what must be so when they are done. */

export interface WritingGoal {
  readonly goal: string;
  readonly files: Readonly<Record<string, string>>;
  /** Files that must be there and changed at the end. */
  readonly writes: readonly string[];
  /** True: it cannot be done as asked. To say so is right, and to write it all the same is not. */
  readonly mayFail?: true;
  /** What is wrong with the files or with the answer; null: nothing. */
  wrong(files: Readonly<Record<string, string>>, answer: string): string | null;
}

/** @returns what the text lacks, or has too much. */
const lacks = (text: string, wanted: readonly RegExp[], unwanted: readonly RegExp[] = []): string | null => {
  const missing = wanted.find((it) => !it.test(text));
  if (missing) return `${missing} is missing`;
  const extra = unwanted.find((it) => it.test(text));
  return extra ? `${extra} does not belong there` : null;
};
/** A summary that is nearly as long as its source is a copy. */
const notShort = (files: Readonly<Record<string, string>>, name: string, source: string, wanted: RegExp): string | null =>
  files[name]!.trim().length > 0.75 * files[source]!.length ? `it is a copy of ${source}` : lacks(files[name]!, [wanted]);
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** The prompts and the code were made with these. */
export const knownGoals: readonly WritingGoal[] = [
  {
    goal: 'Read meeting.txt and write a one-line summary of it to summary.txt',
    files: {
      'meeting.txt':
        'Meeting of 4 March. Present: Anna, Ben, Chloe.\nWe move the release of the app from April to June, because the payment provider is late.\nBen asks the provider for a date. Chloe tells the customers.\n',
    },
    writes: ['summary.txt'],
    wrong: (files) =>
      linesOf(files['summary.txt']!).length > 2
        ? 'it is longer than a line'
        : notShort(files, 'summary.txt', 'meeting.txt', /release|June/i),
  },
  {
    goal: 'Lies besprechung.txt und schreibe eine Zusammenfassung in einem Satz nach zusammenfassung.txt',
    files: {
      'besprechung.txt':
        'Besprechung vom 4. März. Anwesend: Anna, Ben.\nDer Umzug in das neue Büro wird vom Mai auf den Oktober verschoben, weil der Vermieter das Dach repariert.\nBen sagt der Spedition ab.\n',
    },
    writes: ['zusammenfassung.txt'],
    wrong: (files) => notShort(files, 'zusammenfassung.txt', 'besprechung.txt', /Umzug|umziehen|verschoben|Oktober/i),
  },
  {
    goal: 'Lis notes.txt et écris la liste des tâches à faire dans taches.md',
    files: {
      'notes.txt':
        'Hier il a fait beau et nous avons mangé dehors.\nIl faut appeler le plombier avant vendredi.\nIl faut acheter du pain et du lait.\nMarie est passée nous voir.\nIl faut réserver les billets de train pour Lyon.\n',
    },
    writes: ['taches.md'],
    wrong: (files) => lacks(files['taches.md']!, [/plombier/i, /pain/i, /billets|train/i], [/il a fait beau/i]),
  },
  {
    goal: 'Join north.csv and south.csv into one file all.csv',
    files: {
      'north.csv': 'shop,sales\nOslo,120\nBergen,80\n',
      'south.csv': 'shop,sales\nRome,200\nNaples,150\n',
    },
    writes: ['all.csv'],
    wrong: (files) => lacks(files['all.csv']!, [/Oslo, ?120/, /Bergen, ?80/, /Rome, ?200/, /Naples, ?150/]),
  },
  {
    goal: 'Read app.log and put a list of the errors into errors.md',
    files: {
      'app.log':
        '10:00:01 INFO server started on port 8080\n10:02:17 ERROR cannot open /data/users.db: permission denied\n10:02:18 INFO retrying\n10:05:44 ERROR mail queue is full\n10:06:00 WARN disk at 91 %\n10:09:12 ERROR timeout after 30 s: payment gateway\n',
    },
    writes: ['errors.md'],
    wrong: (files) =>
      lacks(
        files['errors.md']!,
        [/permission denied|users\.db/i, /mail queue/i, /timeout|payment gateway/i],
        [/server started/i],
      ),
  },
  {
    goal: 'Write a poem of four lines about the sea into poem.txt',
    files: {},
    writes: ['poem.txt'],
    wrong: (files) =>
      linesOf(files['poem.txt']!).length < 3
        ? 'it has fewer than three lines'
        : lacks(files['poem.txt']!, [/sea|wave|ocean|shore|tide|salt/i]),
  },
  {
    goal: 'Lies urlaub.txt und schreibe die wichtigsten Punkte nach punkte.txt',
    files: { 'einkauf.txt': 'Brot, Milch, Käse\n' },
    writes: ['punkte.txt'],
    mayFail: true,
    wrong: (files, answer) => {
      const said = /urlaub\.txt.{0,80}(nicht|not|no such|missing|fehlt|kein)|(nicht|not|no) .{0,40}urlaub\.txt/is;
      return said.test(`${answer}\n${files['punkte.txt']}`)
        ? null
        : 'it wrote about a file that is not there, and does not say so';
    },
  },
  {
    goal: 'Read prices.txt and say what the apples cost',
    files: { 'prices.txt': 'pears 3.10\napples 2.40\nplums 4.75\n' },
    writes: [],
    wrong: (_, answer) => lacks(answer, [/2[.,]40/]),
  },
  {
    goal: 'Change the port in config.ini from 8080 to 9090',
    files: { 'config.ini': '[server]\nhost = localhost\nport = 8080\nworkers = 4\n\n[log]\nlevel = info\n' },
    writes: ['config.ini'],
    wrong: (files) =>
      files['config.ini']!.trim() === '[server]\nhost = localhost\nport = 9090\nworkers = 4\n\n[log]\nlevel = info'
        ? null
        : 'more or less than the port was changed',
  },
  {
    goal: 'Read people.txt and write the names as a JSON list into names.json',
    files: {
      'people.txt': 'Ada Lovelace, born 1815, London\nAlan Turing, born 1912, London\nGrace Hopper, born 1906, New York\n',
    },
    writes: ['names.json'],
    wrong: (files) => {
      try {
        JSON.parse(files['names.json']!);
      } catch {
        return 'it is not JSON';
      }
      return lacks(files['names.json']!, [/Ada Lovelace/, /Alan Turing/, /Grace Hopper/], [/London/]);
    },
  },
];

/** Written afterwards, and tried once before anything was changed. */
export const furtherGoals: readonly WritingGoal[] = [
  {
    goal: 'Read mon.txt, tue.txt, wed.txt, thu.txt and write all names that occur in them to names.txt',
    files: {
      'mon.txt': 'Anna came at eight.\n',
      'tue.txt': 'Boris and Anna had lunch.\n',
      'wed.txt': 'Nobody was there but Carla.\n',
      'thu.txt': 'David called at noon.\n',
    },
    writes: ['names.txt'],
    wrong: (files) => lacks(files['names.txt']!, [/Anna/, /Boris/, /Carla/, /David/]),
  },
  {
    goal: 'Ändere in termin.txt den Tag von Montag auf Freitag',
    files: { 'termin.txt': 'Treffen mit Frau Weber\nTag: Montag\nOrt: Bibliothek\n' },
    writes: ['termin.txt'],
    wrong: (files) => lacks(files['termin.txt']!, [/Tag: Freitag/, /Frau Weber/, /Ort: Bibliothek/], [/Montag/]),
  },
  {
    goal: 'Append the line "eggs" to shopping.txt',
    files: { 'shopping.txt': 'bread\nmilk\n' },
    writes: ['shopping.txt'],
    wrong: (files) =>
      linesOf(files['shopping.txt']!)
        .map((line) => line.trim())
        .join() === 'bread,milk,eggs'
        ? null
        : 'it is not bread, milk, eggs',
  },
  {
    goal: 'Count the guests in guests.txt, write the number to count.txt and tell me who comes from Paris',
    files: { 'guests.txt': 'Marie, Paris\nJohn, London\nPaolo, Rome\n' },
    writes: ['count.txt'],
    wrong: (files, answer) => lacks(files['count.txt']!, [/\b3\b/]) ?? lacks(answer, [/Marie/]),
  },
  {
    goal: 'Translate hello.txt into French and save it as bonjour.txt',
    files: { 'hello.txt': 'Hello, my friend. How are you today?\n' },
    writes: ['bonjour.txt'],
    wrong: (files) => lacks(files['bonjour.txt']!, [/bonjour|salut/i, /ami/i]),
  },
  {
    goal: 'Write from report.txt a short version to short.txt and the three key words to keywords.txt',
    files: {
      'report.txt':
        'The bridge over the river Lenne was built in 1911. Its steel is rusty in eleven places. The town closes the bridge to lorries until it is repaired. The repair costs two million euros and takes a year.\n',
    },
    writes: ['short.txt', 'keywords.txt'],
    wrong: (files) => lacks(files['short.txt']!, [/bridge/i]) ?? lacks(files['keywords.txt']!, [/bridge|rust|steel|repair/i]),
  },
  {
    goal: 'Résume lettre.txt en une phrase dans resume.txt',
    files: {
      'lettre.txt':
        'Chère Claire, le chat est malade depuis lundi et ne mange plus. Le vétérinaire vient demain matin. Peux-tu arroser les plantes et garder les clés ? Je rentre dimanche soir avec le train de huit heures.\n',
    },
    writes: ['resume.txt'],
    wrong: (files) => notShort(files, 'resume.txt', 'lettre.txt', /chat|vétérinaire/i),
  },
  {
    goal: 'Read budget.csv and write the total of the amounts into total.txt',
    files: { 'budget.csv': 'item,amount\nrent,700\nfood,250\nbooks,50\n' },
    writes: ['total.txt'],
    wrong: (files) => lacks(files['total.txt']!, [/1[., ]?000/]),
  },
  {
    goal: 'Schreibe eine kurze Einladung zu meinem Geburtstag am 5. Mai in einladung.txt',
    files: {},
    writes: ['einladung.txt'],
    wrong: (files) => lacks(files['einladung.txt']!, [/Geburtstag/i, /5\. ?Mai|05\.05|5\.5/]),
  },
  {
    goal: 'Copy the recipe from cake.md into dessert.md, but with half of the sugar',
    files: { 'bread.md': 'Flour 500 g, water 350 g, salt 10 g.\n' },
    writes: ['dessert.md'],
    mayFail: true,
    wrong: (files, answer) =>
      /cake\.md.{0,80}(not|missing|no such)|(no|not) .{0,40}cake\.md/is.test(`${answer}\n${files['dessert.md']}`)
        ? null
        : 'it wrote about a file that is not there, and does not say so',
  },
];
