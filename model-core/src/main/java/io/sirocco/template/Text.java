package io.sirocco.template;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A text that knows which of its characters the request brought.
 *
 * <p>The cuts are the ascending positions, in UTF-16 units, at which the origin changes, beginning
 * with the template: {@code {}} is all the template's, {@code {0}} all the request's, {@code {2,
 * 5}} the request's from 2 to 4.
 */
final class Text implements Value {
  private static final int[] NO_CUT = {};
  private static final int[] CUT_AT_START = {0};

  private final String string;
  private final int[] cuts;

  Text(String string, int[] cuts) {
    this.string = string;
    this.cuts = string.isEmpty() ? NO_CUT : cuts;
  }

  static Text of(String string, Origin origin) {
    return new Text(string, origin == Origin.REQUEST ? CUT_AT_START : NO_CUT);
  }

  String string() {
    return string;
  }

  int length() {
    return string.length();
  }

  /** Number of changes of origin. */
  int cutCount() {
    return cuts.length;
  }

  int cut(int index) {
    return cuts[index];
  }

  /** The request's, unless every character is the template's. */
  @Override
  public Origin origin() {
    return cuts.length == 0 ? Origin.TEMPLATE : Origin.REQUEST;
  }

  @Override
  public String type() {
    return "str";
  }

  /** UTF-16 units from {@code start} to before {@code end}. */
  Text slice(int start, int end) {
    if (start >= end) {
      return new Text("", NO_CUT);
    }
    if (start == 0 && end == string.length()) {
      return this;
    }
    int first = firstAfter(start);
    int last = Math.max(first, firstAfter(end - 1));
    boolean fromRequest = first % 2 == 1;
    int[] kept = new int[last - first + (fromRequest ? 1 : 0)];
    for (int i = first, to = fromRequest ? 1 : 0; i < last; i++, to++) {
      kept[to] = cuts[i] - start;
    }
    return new Text(string.substring(start, end), kept);
  }

  Text concat(Text other, Run run) {
    TextBuilder builder = new TextBuilder(run);
    builder.append(this);
    builder.append(other);
    return builder.toText();
  }

  BitSet fromRequest() {
    BitSet bits = new BitSet(string.length());
    for (int i = 0; i < cuts.length; i += 2) {
      bits.set(cuts[i], i + 1 < cuts.length ? cuts[i + 1] : string.length());
    }
    return bits;
  }

  /** Unicode characters, as Python counts them. */
  int codePoints() {
    return string.codePointCount(0, string.length());
  }

  /** Index of the first cut beyond {@code position}. */
  private int firstAfter(int position) {
    int found = Arrays.binarySearch(cuts, position);
    return found >= 0 ? found + 1 : -found - 1;
  }
}
