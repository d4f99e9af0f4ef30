package io.sirocco.prepared;

import java.util.Objects;

/**
 * How a host keeps files of prepared weights.
 *
 * @param check what of a file is checked before it is used
 * @param room is asked before files are made
 */
public record Keeping(Check check, PreparedRoom room) {
  /** Sizes are checked, and the disk is the limit. */
  public static final Keeping PLAIN = new Keeping(Check.SIZES, PreparedRoom.DISK);

  /** Of a file that is there. */
  public enum Check {
    /** That it has its size. */
    SIZES,
    /** Also that its bytes have the checksum they were written with; once in each process. */
    CHECKSUMS
  }

  public Keeping {
    Objects.requireNonNull(check, "check");
    Objects.requireNonNull(room, "room");
  }
}
