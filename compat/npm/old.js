// What 0.8.5 has beside the rest, at its own version 4.0 of the Graph API.
'use strict';

const { MessengerClient, MessengerBatch, MessengerBroadcast } = require('messenger-0.8.5');
const common = require('./common');
const batches = require('./batch');
const s = require('./samples');

module.exports = async function old(a, env, config) {
  const c = a.client(new MessengerClient({ accessToken: env.token, appId: env.app, appSecret: env.secret, origin: env.origin, ...config }));
  const { ana } = env;
  const sent = { recipient_id: '=' + ana, message_id: 'mid' };
  const done = { result: '=success' };
  const ok = { success: true };
  await common(a, c, { ...env, camel: false }, (name) => name);
  await a.gives('getMessageTags', c.getMessageTags(), (v) => v.length === 17 && v.every((t) => t.tag && t.description));
  await a.gives('sendText with an old tag', c.sendText(ana, 'x', { tag: 'SHIPPING_UPDATE' }), sent);
  await a.gives('sendText with its own token', c.sendText(ana, 'x', { access_token: env.token }), sent);
  await a.gives('sendListTemplate', c.sendListTemplate(ana, s.listElements, [s.buttons[0]], { top_element_style: 'compact' }), sent);
  await a.gives('sendOpenGraphTemplate', c.sendOpenGraphTemplate(ana, s.openGraph), sent);
  await a.refuses('a list of one', () => c.sendListTemplate(ana, [s.listElements[0]], []), 194);

  // Settings that were withdrawn later.
  await a.gives('setPaymentPrivacyPolicyURL', c.setPaymentPrivacyPolicyURL('https://example.com/privacy'), done);
  await a.gives('getPaymentSettings', c.getPaymentSettings(), { payment_settings: { privacy_url: '=https://example.com/privacy' } });
  await a.gives('setPaymentPublicKey', c.setPaymentPublicKey('KEY'), done);
  await a.gives('setPaymentTestUsers', c.setPaymentTestUsers(['1']), done);
  await a.gives('deletePaymentSettings', c.deletePaymentSettings(), done);
  await a.gives('getPaymentSettings of nothing', c.getPaymentSettings(), null);
  await a.gives('setTargetAudience', c.setTargetAudience('custom', ['US'], ['UK']), done);
  await a.gives('getTargetAudience', c.getTargetAudience(), (v) => v.target_audience.audience_type === 'custom');
  await a.gives('deleteTargetAudience', c.deleteTargetAudience(), done);
  await a.gives('setHomeURL', c.setHomeURL('https://example.com', { webview_share_button: 'show', in_test: true }), done);
  await a.gives('getHomeURL', c.getHomeURL(), (v) => v.home_url.url === 'https://example.com');
  await a.gives('deleteHomeURL', c.deleteHomeURL(), done);
  const nested = [{ locale: 'default', call_to_actions: [{ type: 'nested', title: 'More', call_to_actions: [{ type: 'nested', title: 'Even more', call_to_actions: [{ type: 'postback', title: 'Here', payload: 'HERE' }] }] }] }];
  await a.gives('setGetStarted', c.setGetStarted('GO'), done);
  await a.gives('a nested menu', c.setPersistentMenu(nested), done);
  await a.gives('deletePersistentMenu', c.deletePersistentMenu(), done);
  await a.gives('deleteGetStarted', c.deleteGetStarted(), done);

  // Codes.
  const code = await a.gives('generateMessengerCode', c.generateMessengerCode({ data: { ref: 'billboard-ad' }, image_size: 1000 }), { uri: 'url' });
  const picture = await fetch(code.uri);
  if (picture.headers.get('content-type') !== 'image/png') a.fail('generateMessengerCode', 'the picture is ' + picture.headers.get('content-type'));
  await a.refuses('a code too small', () => c.generateMessengerCode({ image_size: 99 }), 100);
  await a.refuses('a code with a bad ref', () => c.generateMessengerCode({ data: { ref: 'a b' } }), 100);

  // Broadcasts.
  const label = await c.createLabel('news');
  await c.associateLabel(ana, label.id);
  const creative = await a.gives('createMessageCreative', c.createMessageCreative([{ dynamic_text: { text: "Hi, {first_name}!", fallback_text: "Hi!" } }, { text: "News for everybody" }]), { message_creative_id: 'id' });
  const id = creative.message_creative_id;
  const when = new Date(Date.now() + 3600e3).toISOString();
  const { and, or, not } = MessengerBroadcast;
  const planned = await a.gives('sendBroadcastMessage later', c.sendBroadcastMessage(id, { schedule_time: when, targeting: { labels: and(or(label.id), not(or())) } }), { broadcast_id: 'id' });
  await a.gives('getBroadcast', c.getBroadcast(planned.broadcast_id), { scheduled_time: 'text', status: '=SCHEDULED', id: '=' + planned.broadcast_id });
  await a.gives('cancelBroadcast', c.cancelBroadcast(planned.broadcast_id), ok);
  await a.gives('getBroadcast of a cancelled one', c.getBroadcast(planned.broadcast_id), (v) => v.status === 'CANCELED');
  const now = await a.gives('sendBroadcastMessage', c.sendBroadcastMessage(id, { custom_label_id: label.id }), { broadcast_id: 'id' });
  await a.gives('the broadcast ends', (async () => {
    for (let i = 0; i < 100; i += 1) {
      const b = await c.getBroadcast(now.broadcast_id);
      if (b.status === 'FINISHED') return b;
      await new Promise((next) => setTimeout(next, 50));
    }
    return 'never';
  })(), (v) => v.status === 'FINISHED');
  await a.gives('getBroadcastMessagesSent', c.getBroadcastMessagesSent(now.broadcast_id), (v) => v[0].name === 'messages_sent' && v[0].values[0].value === 1);
  const reach = await a.gives('startReachEstimation', c.startReachEstimation(label.id), { reach_estimation_id: 'id' });
  await a.gives('getReachEstimate', c.getReachEstimate(reach.reach_estimation_id), { reach_estimation: 1, id: '=' + reach.reach_estimation_id });
  await a.gives('sendSponsoredMessage', c.sendSponsoredMessage(env.adAccount, { message_creative_id: id, daily_budget: 100, bid_amount: 400, targeting: "{'geo_locations': {'countries':['US']}}" }),
    { ad_group_id: 'id', broadcast_id: 'id', success: true });
  await a.gives('getOpenConversations', c.getOpenConversations(), (v) => v.name === 'page_messages_total_messaging_connections');
  await c.deleteLabel(label.id);

  await batches(a, c, MessengerBatch, { ...env, camel: false }, (name) => name);
  a.complete(MessengerClient.prototype);
};
