// Questions before code runs, for whoever opened the page with the confirmation token.
const questions = { asked: new Map(), wake: null };

function hold(box, isHeld) {
  for (const button of box.querySelectorAll('button')) button.disabled = isHeld;
}

// What moves under a pointer must not be pressed by it.
function holdAll() {
  for (const box of questions.asked.values()) hold(box, true);
  clearTimeout(questions.wake);
  questions.wake = setTimeout(() => { for (const box of questions.asked.values()) hold(box, false); }, 800);
}

async function answer(question, allow, remember) {
  const box = questions.asked.get(question.confirmation);
  hold(box, true);
  try {
    await ask(`confirmations/${encodeURIComponent(question.confirmation)}`, {
      method: 'POST', headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ allow, remember }),
    });
    tell(allow ? 'Allowed.' : 'Refused.');
  } catch (error) {
    tell(`It was not answered: ${error.message}`);
    hold(box, false);
  }
}

function questionBox(question) {
  return el('section', { class: 'question', role: 'group', 'aria-label': 'A question before code runs' },
    el('h2', {}, line(question.question)),
    el('p', {}, line(question.operation)),
    question.why && el('p', {}, line(question.why)),
    el('pre', { tabindex: 0, 'aria-label': 'The code or the arguments' }, lines(question.code)),
    el('button', { type: 'button', class: 'plain', onclick: () => answer(question, true, false) }, 'Allow once'),
    el('button', { type: 'button', class: 'plain', onclick: () => answer(question, true, true) }, 'Allow while it stays as it is'),
    el('button', { type: 'button', class: 'plain', onclick: () => answer(question, false, false) }, 'Refuse'));
}

// Boxes that are there stay as they are: somebody may be reading.
function showQuestions(open) {
  const before = [...questions.asked.keys()].join();
  const names = new Set(open.map((question) => question.confirmation));
  for (const [name, box] of questions.asked) {
    if (names.has(name)) continue;
    box.remove();
    questions.asked.delete(name);
  }
  for (const question of open) {
    if (questions.asked.has(question.confirmation)) continue;
    questions.asked.set(question.confirmation, questionBox(question));
    $('questions').append(questions.asked.get(question.confirmation));
    tell(question.question);
  }
  if ([...questions.asked.keys()].join() !== before) holdAll();
}

async function followQuestions() {
  if (!server.token) return;
  for (;;) {
    let answer = null;
    try {
      answer = await fetch('confirmations', { headers: { Authorization: `Bearer ${server.token}` }, cache: 'no-store' });
    } catch {
      // The runs tell that the server does not answer.
    }
    // Whoever has another token is not the one to be asked.
    if (answer && (answer.status === 401 || answer.status === 403)) return;
    if (answer && answer.ok) showQuestions((await answer.json()).confirmations);
    await pause(1500);
  }
}
