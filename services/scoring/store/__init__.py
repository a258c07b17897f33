"""MongoDB: customers with their purchases and told scores, the base's histogram, and the models' versions."""

from services.scoring.store.customers import MongoCustomers
from services.scoring.store.models import MongoModels
from services.scoring.store.population import MongoPopulation

__all__ = ["MongoCustomers", "MongoModels", "MongoPopulation"]
