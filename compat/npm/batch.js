// Every request factory, in batches.
'use strict';

const s = require('./samples');

module.exports = async function batches(a, c, factories, env, key) {
  const { ana, other, base } = env;
  const B = a.client(factories);
  const body = (item) => (env.camel ? item.body : JSON.parse(item.body));
  const answers = async (what, items, shapes) => {
    const list = await a.gives(what, c.sendBatch(items), (v) => Array.isArray(v) && v.length === items.length);
    if (!list) return [];
    const { fits } = require('./check');
    list.forEach((item, i) => {
      a.checks += 1;
      const wrong = item.code !== 200 ? JSON.stringify(item) : !Array.isArray(item.headers) ? 'no headers' : fits(body(item), shapes[i]);
      if (wrong) a.fail(`${what}[${i}] ${items[i].relative_url ?? items[i].relativeUrl}`, wrong);
    });
    return list.map(body);
  };
  const sent = { [key('recipient_id')]: '=' + ana, [key('message_id')]: 'mid' };
  const named = { [key('recipient_id')]: '=' + ana };
  const ok = { success: true };
  const upload = await c.uploadImage(base + '/picture.png', { [key('is_reusable')]: true });
  const sends = [
    B.sendRequest({ recipient: { id: ana }, message: { text: 'raw' } }), B.sendMessage(ana, { text: 'm' }), B.sendText(ana, 't', { [key('quick_replies')]: s.quickReplies }),
    B.sendAttachment(ana, { type: 'image', payload: { url: base + '/picture.png' } }), B.sendAudio(ana, base + '/sound.mp3'), B.sendImage(ana, base + '/picture.png'),
    B.sendVideo(ana, base + '/film.mp4'), B.sendFile(ana, base + '/paper.pdf'), B.sendTemplate(ana, { template_type: 'button', text: 'x', buttons: s.buttons }),
    B.sendButtonTemplate(ana, 'x', s.buttons), B.sendGenericTemplate(ana, s.elements), B.sendReceiptTemplate(ana, s.receipt('b-' + a.name)),
    B.sendMediaTemplate(ana, [{ media_type: 'image', attachment_id: upload[key('attachment_id')] }]), B.sendAirlineBoardingPassTemplate(ana, s.boardingPass),
    B.sendAirlineCheckinTemplate(ana, s.checkin), B.sendAirlineItineraryTemplate(ana, s.itinerary), B.sendAirlineUpdateTemplate(ana, s.update),
  ];
  if (B.sendListTemplate) sends.push(B.sendListTemplate(ana, s.listElements, [s.buttons[0]]), B.sendOpenGraphTemplate(ana, s.openGraph));
  if (B.sendOneTimeNotifReqTemplate) sends.push(B.sendOneTimeNotifReqTemplate(ana, { title: 'Back in stock?', payload: 'STOCK' }));
  await answers('sends', sends, sends.map(() => sent));
  const actions = [B.sendSenderAction(ana, 'typing_on'), B.typingOn(ana), B.typingOff(ana), B.markSeen(ana)];
  await answers('sender actions', actions, actions.map(() => named));

  const label = await c.createLabel('batched');
  const rest = [
    B.getUserProfile(ana), B.passThreadControl(ana, other), B.passThreadControlToPageInbox(ana), B.takeThreadControl(ana), B.requestThreadControl(ana), B.getThreadOwner(ana),
    B.associateLabel(ana, label.id), B.getAssociatedLabels(ana), B.dissociateLabel(ana, label.id),
  ];
  const isAna = (v) => v.id === ana && v[key('first_name')] === 'Ana';
  await answers('the others', rest, [isAna, ok, ok, ok, ok, { [key('app_id')]: '=' + env.app }, ok, (v) => v.data[0].id === label.id, ok]);
  await c.deleteLabel(label.id);
  if (B.setUserPersistentMenu) {
    await c.setGetStarted('GO');
    await answers('menus', [B.setUserPersistentMenu(ana, s.menuItems), B.getUserPersistentMenu(ana), B.deleteUserPersistentMenu(ana)],
      [{ result: '=success' }, (v) => v.data[0].userLevelPersistentMenu[0].callToActions.length === 2, { result: '=success' }]);
    await c.deleteGetStarted();
  }

  // One that fails fails no other.
  const mixed = await a.gives('a batch with a failure', c.sendBatch([B.sendText('123', 'x'), B.sendText(ana, 'x')]), (v) => v[0].code === 400 && v[1].code === 200);
  if (mixed && body(mixed[0]).error.code !== 100) a.fail('a batch with a failure', JSON.stringify(mixed[0]));

  // Names, dependencies, references into earlier answers, answers left out.
  const dependsOn = env.camel ? 'dependsOn' : 'depends_on';
  const omit = env.camel ? 'omitResponseOnSuccess' : 'omit_response_on_success';
  const relative = env.camel ? 'relativeUrl' : 'relative_url';
  const chain = await a.gives('a chain', c.sendBatch([
    { method: 'POST', [relative]: 'me/custom_labels', body: { name: 'made here' }, name: 'made', [omit]: false },
    { method: 'POST', [relative]: '{result=made:$.id}/label', body: { user: ana }, [dependsOn]: 'made' },
    { method: 'GET', [relative]: '{result=made:$.id}?fields=name' },
    { method: 'DELETE', [relative]: '{result=made:$.id}' },
    { method: 'GET', [relative]: '1', name: 'lost' },
    { method: 'GET', [relative]: 'me?fields={result=lost:$.id}' },
  ]), (v) => v.slice(0, 5).map((x) => x.code).join() === '200,200,200,200,400' && v[5].code === 424);
  if (chain && body(chain[2]).name !== 'made here') a.fail('a chain', JSON.stringify(chain[2]));
  if (!env.camel) {
    await a.gives('an answer left out', c.sendBatch([{ ...B.sendText(ana, 'quiet'), [omit]: true }, B.sendText(ana, 'loud')]), (v) => v[0] === null && v[1].code === 200);
  }
  a.complete(factories);
};
