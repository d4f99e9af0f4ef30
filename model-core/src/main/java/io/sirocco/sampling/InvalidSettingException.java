package io.sirocco.sampling;

/** A generation setting that cannot be used: which one, what was found, what was expected. */
public final class InvalidSettingException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int LONGEST_SHOWN = 80;

  private final String key;

  /** {@code found} is shown as text, shortened. */
  public InvalidSettingException(String key, Object found, String expected) {
    super(key + " is " + shown(found) + ", expected " + expected);
    this.key = key;
  }

  /** The setting's key, as in a configuration. */
  public String key() {
    return key;
  }

  static String shown(Object found) {
    String text = String.valueOf(found);
    return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "...";
  }
}
