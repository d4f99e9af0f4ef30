package io.sirocco.template;

import java.util.Arrays;

/** Builds a {@link Text}; every character is paid for before it is copied. */
final class TextBuilder {
  private final Run run;
  private final StringBuilder string = new StringBuilder();
  private int[] cuts = new int[4];
  private int cutCount;

  TextBuilder(Run run) {
    this.run = run;
  }

  void append(String piece, Origin origin) {
    append(Text.of(piece, origin));
  }

  void append(Text piece) {
    if (piece.length() == 0) {
      return;
    }
    run.checkLength((long) string.length() + piece.length());
    run.charge((long) piece.length() + piece.cutCount());
    int start = string.length();
    if (cutCount % 2 == 1) {
      cutAt(start);
    }
    for (int i = 0; i < piece.cutCount(); i++) {
      cutAt(start + piece.cut(i));
    }
    string.append(piece.string());
  }

  Text toText() {
    return new Text(string.toString(), Arrays.copyOf(cuts, cutCount));
  }

  /** Two cuts at one place are none. */
  private void cutAt(int position) {
    if (cutCount > 0 && cuts[cutCount - 1] == position) {
      cutCount--;
      return;
    }
    if (cutCount == cuts.length) {
      cuts = Arrays.copyOf(cuts, 2 * cutCount);
    }
    cuts[cutCount++] = position;
  }
}
