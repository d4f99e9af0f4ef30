package io.sirocco.template;

import java.util.HexFormat;
import java.util.Map;

/** Writes a value's text, paid for as it grows. */
abstract class ValueText {
  static final HexFormat HEX = HexFormat.of();

  /** Characters gathered before they are counted against the limit. */
  private static final int PIECE = 4096;

  final Run run;
  private final Origin origin;
  private final TextBuilder out;

  ValueText(Run run, Origin origin) {
    this.run = run;
    this.origin = origin;
    this.out = new TextBuilder(run);
  }

  /** Of this value, within so many others. */
  abstract void write(Value value, int depth);

  abstract void writeQuoted(String string);

  final Text toText() {
    return out.toText();
  }

  final void put(String piece) {
    out.append(piece, origin);
  }

  /** Puts and empties what is gathered once it is a piece. */
  final void putPiece(StringBuilder gathered) {
    if (gathered.length() > PIECE) {
      put(gathered.toString());
      gathered.setLength(0);
    }
  }

  final void writeDict(Value.Dict dict, int depth) {
    put("{");
    String separator = "";
    for (Map.Entry<String, Value> entry : dict.entries().entrySet()) {
      put(separator);
      writeQuoted(entry.getKey());
      put(": ");
      write(entry.getValue(), depth + 1);
      separator = ", ";
    }
    put("}");
  }
}
