import { t } from '../i18n';
import type { Host } from './host';
import { OpenForm } from './open-form';
import { OpenedGroups } from './opened-groups';

/** Sub-groups: opening them, who is where, and bringing everybody together again. */
export function GroupsSection({ host }: { host: Host }) {
  const scene = host.channel.scene.value;
  if (!scene) return null;
  return (
    <section class="host-groups">
      {/* Takes the focus when the form or a group that has it goes away. */}
      <h3 tabIndex={-1}>{t('groups.title')}</h3>
      {scene.groups.length === 0 ? (
        <OpenForm host={host} people={scene.inCall} />
      ) : (
        <OpenedGroups host={host} people={scene.inCall} groups={scene.groups} />
      )}
    </section>
  );
}
