package io.sirocco.sampling;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The random numbers of one row. A number depends on the seed, the row's key, the sample and the
 * step alone: not on what was drawn before, nor on the machine, the thread or the Java release.
 *
 * <p>The format is stable, results can be reproduced with it: the number is the first 53 bits of
 * SHA-256 over 48 bytes, as an integer of most significant bit first, divided by 2^53. The 48 bytes
 * are the seed (8), the sample (4) and the step (4), each most significant byte first, and the
 * SHA-256 of the row's key (32).
 *
 * <p>Not for several threads.
 */
public final class UniformDraws {
  private static final int BYTES = Long.BYTES + 2 * Integer.BYTES + 32;
  private static final int UNUSED_BITS = Long.SIZE - 53;
  private static final double STEP = 0x1p-53;

  private final MessageDigest sha256 = sha256();
  private final ByteBuffer message = ByteBuffer.allocate(BYTES);

  private UniformDraws(long seed, byte[] rowKey) {
    message.putLong(0, seed);
    message.put(Long.BYTES + 2 * Integer.BYTES, sha256.digest(rowKey));
  }

  /** Of the row with this key. */
  public static UniformDraws of(long seed, byte[] rowKey) {
    return new UniformDraws(seed, rowKey);
  }

  /** Of the row with this key, in UTF-8. */
  public static UniformDraws of(long seed, String rowKey) {
    return new UniformDraws(seed, rowKey.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * A number of [0, 1), a multiple of 2^-53.
   *
   * @param sample which of the row's samples, from 0; in a sampled beam search which of the
   *     candidates drawn in the step
   * @param step which of the new tokens, from 0
   */
  public double at(int sample, int step) {
    message.putInt(Long.BYTES, sample);
    message.putInt(Long.BYTES + Integer.BYTES, step);
    long leading = ByteBuffer.wrap(sha256.digest(message.array())).getLong();
    return (leading >>> UNUSED_BITS) * STEP;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
