package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * How a host keeps its copies of remote models, and its prepared weights.
 *
 * @param folder of the cache
 * @param maxSize bytes that the cache may take, {@link #NO_LIMIT} where only the disk limits it
 * @param check what is checked of a copy that is there
 */
public record CacheSettings(Path folder, long maxSize, Check check) {
  /** Of {@link #maxSize}. */
  public static final long NO_LIMIT = Long.MAX_VALUE;

  private static final String DEFAULT = ".cache/sirocco/models";
  static final String PREPARED = "prepared";
  static final String DIR = "spark.sirocco.cache.dir";
  static final String MAX_SIZE = "spark.sirocco.cache.maxSize";
  private static final String VERIFY = "spark.sirocco.cache.verify";

  /** Of a copy's files. */
  public enum Check {
    /** That they are there, with their sizes. */
    SIZES,
    /** Also that their bytes have the checksums they were fetched with. */
    CHECKSUMS
  }

  public CacheSettings {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(check, "check");
    if (maxSize < 1) {
      throw new ModelException(MAX_SIZE, "is " + maxSize + ", expected a size such as 200g");
    }
  }

  /** Those of the executor in this JVM. */
  static CacheSettings here() {
    SparkEnv env = SparkEnv.get();
    return of(env == null ? new SparkConf() : env.conf());
  }

  /**
   * Where the executor in this JVM keeps prepared weights, which the host's executors share; empty
   * if it has no place for them.
   */
  public static String preparedHere() {
    SparkEnv env = SparkEnv.get();
    SparkConf conf = env == null ? new SparkConf() : env.conf();
    Path home = Path.of(System.getProperty("user.home", ""));
    return conf.contains(DIR) || home.isAbsolute() ? folder(conf).resolve(PREPARED).toString() : "";
  }

  /**
   * Those of a Spark configuration.
   *
   * @throws ModelException if a setting has a value that makes no sense
   */
  public static CacheSettings of(SparkConf conf) {
    try {
      boolean verify = conf.getBoolean(VERIFY, false);
      return new CacheSettings(
          folder(conf),
          conf.contains(MAX_SIZE) ? conf.getSizeAsBytes(MAX_SIZE) : NO_LIMIT,
          verify ? Check.CHECKSUMS : Check.SIZES);
    } catch (IllegalArgumentException e) {
      throw new ModelException("spark.sirocco.cache", e.getMessage(), e);
    }
  }

  /** Executors have working folders of their own: a relative path would be one cache for each. */
  private static Path folder(SparkConf conf) {
    Path home = Path.of(System.getProperty("user.home", ""));
    Path folder = Path.of(conf.get(DIR, home.resolve(DEFAULT).toString()));
    if (!folder.isAbsolute()) {
      throw new ModelException(
          DIR,
          conf.contains(DIR)
              ? "is " + folder + ", expected an absolute path, the same on every host"
              : "is not set, and "
                  + System.getProperty("user.name")
                  + " has no home folder here; set it to a folder on a local disk");
    }
    return folder;
  }
}
