package io.sirocco.spark.config;

/** A job that cannot be run as it is written: the message says key, value, and what is expected. */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(message);
  }

  /** {@code key}: dotted, as in {@code input.text-column}. */
  public ConfigException(String key, Object value, String expected) {
    super(key + " is '" + value + "', expected " + expected);
  }
}
