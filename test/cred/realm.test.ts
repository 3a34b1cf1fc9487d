import { ANONYMOUS, AvatarRealm, NoAvatar } from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { mindOf } from './support.ts';

class Mailbox {
  readonly left: string[] = [];
}
class Delivery {}

describe('AvatarRealm', () => {
  it('makes an avatar for each login', async () => {
    const realm = new AvatarRealm().provide(Mailbox, () => new Mailbox());
    const one = await realm.requestAvatar('joe', mindOf(), [Mailbox]);
    const other = await realm.requestAvatar('joe', mindOf(), [Mailbox]);
    expect(one.avatar).toBeInstanceOf(Mailbox);
    expect(other.avatar).not.toBe(one.avatar);
  });

  it('passes the avatar id and the mind to the factory and waits for the avatar', async () => {
    const seen: unknown[] = [];
    const mind = mindOf();
    const realm = new AvatarRealm().provide(Mailbox, async (avatarId, its) => {
      seen.push(avatarId, its);
      return new Mailbox();
    });
    await realm.requestAvatar(ANONYMOUS, mind, [Delivery, Mailbox]);
    expect(seen).toEqual([ANONYMOUS, mind]);
  });

  it('serves the first of the requested interfaces that has a factory', async () => {
    const realm = new AvatarRealm().provide(Mailbox, () => new Mailbox()).provide(Delivery, () => new Delivery());
    expect((await realm.requestAvatar<Delivery | Mailbox>('joe', mindOf(), [Delivery, Mailbox])).avatar).toBeInstanceOf(
      Delivery,
    );
    expect((await realm.requestAvatar<Delivery | Mailbox>('joe', mindOf(), [Mailbox, Delivery])).avatar).toBeInstanceOf(
      Mailbox,
    );
  });

  it('refuses an avatar in place of a factory', () => {
    expect(() => new AvatarRealm().provide(Mailbox, new Mailbox() as never)).toThrow(
      new TypeError('provide(Mailbox, factory): expected a function that returns a Mailbox, not an object'),
    );
  });

  it('throws NoAvatar for an interface without a factory', async () => {
    await expect(new AvatarRealm().requestAvatar('joe', mindOf(), [Mailbox, Delivery])).rejects.toThrow(NoAvatar);
    await expect(new AvatarRealm().requestAvatar('joe', mindOf(), [Mailbox, Delivery])).rejects.toThrow(
      /Mailbox, Delivery/,
    );
  });

  it('provides the interfaces that have a factory', () => {
    const realm = new AvatarRealm().provide(Mailbox, () => new Mailbox());
    expect(realm.provides(Mailbox)).toBe(true);
    expect(realm.provides(Delivery)).toBe(false);
  });

  it('throws for a second factory of an interface', () => {
    const realm = new AvatarRealm().provide(Mailbox, () => new Mailbox());
    expect(() => realm.provide(Mailbox, () => new Mailbox())).toThrow(/Mailbox already/);
  });

  it('logs an avatar out by Symbol.asyncDispose, or else by Symbol.dispose', async () => {
    class Both extends Mailbox implements AsyncDisposable, Disposable {
      async [Symbol.asyncDispose](): Promise<void> {
        await Promise.resolve();
        this.left.push('asyncDispose');
      }
      [Symbol.dispose](): void {
        this.left.push('dispose');
      }
    }
    class Plain extends Mailbox implements Disposable {
      [Symbol.dispose](): void {
        this.left.push('dispose');
      }
    }
    for (const [make, left] of [
      [() => new Both(), ['asyncDispose']],
      [() => new Plain(), ['dispose']],
      [() => new Mailbox(), []],
    ] as const) {
      const { avatar, logout } = await new AvatarRealm()
        .provide(Mailbox, make)
        .requestAvatar('joe', mindOf(), [Mailbox]);
      await logout?.('quit');
      expect(avatar.left).toEqual(left);
    }
  });
});
