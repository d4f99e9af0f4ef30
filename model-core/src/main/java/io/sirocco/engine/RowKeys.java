package io.sirocco.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a row's random draws depend on, beside the seed. */
final class RowKeys {
  private RowKeys() {}

  /** The row's own key in UTF-8; without one, its tokens, four bytes each. */
  static byte[] of(Intake.Accepted row) {
    if (!row.key().isEmpty()) {
      return row.key().getBytes(StandardCharsets.UTF_8);
    }
    int[] ids = row.row().ids();
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(ids.length, Integer.BYTES));
    for (int id : ids) {
      bytes.putInt(id);
    }
    return bytes.array();
  }
}
