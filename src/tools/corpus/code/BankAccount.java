// A bank account that keeps its balance in cents and can be shared by threads.
public class BankAccount {
    private final String owner;
    private long cents;

    public BankAccount(String owner) {
        this.owner = owner;
    }

    public synchronized void deposit(long amount) {
        requirePositive(amount);
        cents = Math.addExact(cents, amount);
    }

    public synchronized boolean withdraw(long amount) {
        requirePositive(amount);
        if (amount > cents) {
            return false;
        }
        cents -= amount;
        return true;
    }

    public synchronized long balance() {
        return cents;
    }

    private static void requirePositive(long amount) {
        if (amount <= 0) {
            throw new IllegalArgumentException("amount must be positive");
        }
    }

    public static void main(String[] args) throws InterruptedException {
        BankAccount account = new BankAccount("Mina");
        Runnable saving = () -> {
            for (int i = 0; i < 1000; i++) {
                account.deposit(5);
            }
        };
        Thread first = new Thread(saving);
        Thread second = new Thread(saving);
        first.start();
        second.start();
        first.join();
        second.join();
        System.out.println(account.owner + ": " + account.balance()); // Mina: 10000
    }
}
