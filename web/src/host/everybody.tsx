import { MicOff, PhoneOff, VideoOff } from 'lucide';
import { useCall } from '../call/view';
import { t } from '../i18n';
import { Button } from '../ui/button';
import type { Host } from './host';
import { SayForm } from './say-form';
import { SOURCES } from './scene';
import { Switch } from './switch';

/** What is done to, or holds for, everybody who does not moderate. */
export function EverybodySection({ host }: { host: Host }) {
  const view = useCall();
  const { forbidden, mayUnmute } = host.forAll;
  const locked = host.channel.scene.value?.locked ?? false;
  return (
    <section>
      <h3>{t('host.everybody')}</h3>
      <SayForm label={t('announce.label')} send={t('announce.send')} onSay={(text) => host.announce(text)} />
      <div class="host-actions">
        <Button icon={MicOff} onClick={() => void host.ask('mute_all', { sources: ['microphone'] })}>
          {t('host.mute-all')}
        </Button>
        <Button icon={VideoOff} onClick={() => void host.ask('mute_all', { sources: ['camera'] })}>
          {t('host.cut-cameras')}
        </Button>
      </div>
      <fieldset>
        <legend>{t('host.rights')}</legend>
        {SOURCES.map((source) => (
          <Switch
            key={source}
            on={!forbidden.includes(source)}
            onSwitch={(on) => host.allow(null, source, on)}
          >
            {t(`host.may.${source}`)}
          </Switch>
        ))}
        <Switch on={mayUnmute} onSwitch={(on) => host.allowUnmuting(null, on)}>
          {t('host.may.unmute')}
        </Switch>
        <Switch on={locked} onSwitch={(on) => void host.ask(on ? 'lock' : 'unlock')}>
          {t('host.locked')}
        </Switch>
      </fieldset>
      <Button
        icon={PhoneOff}
        class="danger"
        onClick={() => {
          view.overlay.value = 'end';
        }}
      >
        {t('host.end')}
      </Button>
    </section>
  );
}
